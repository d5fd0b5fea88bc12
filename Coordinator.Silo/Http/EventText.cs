using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Coordinator.Silo.Http;

/// <summary>
/// Some server-sent events, as they are sent: one JSON object each, in which a line break is never written as such.
/// </summary>
internal sealed class EventText
{
    private readonly ArrayBufferWriter<byte> _buffer = new(512);

    public ReadOnlyMemory<byte> Written => _buffer.WrittenMemory;

    public void Add(ReadOnlySpan<byte> text) => _buffer.Write(text);

    /// <summary>All of an event up to its data.</summary>
    public void AddHead(string name, long? id)
    {
        if (id is { } number)
            Add(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"id: {number}\n")));
        Add(Encoding.UTF8.GetBytes($"event: {name}\ndata: "));
    }

    public void AddObject(Action<Utf8JsonWriter> members)
    {
        using Utf8JsonWriter json = new(_buffer, Answers.WriterOptions);
        json.WriteStartObject();
        members(json);
        json.WriteEndObject();
    }

    public void AddEvent(string name, long? id, Action<Utf8JsonWriter> members)
    {
        AddHead(name, id);
        AddObject(members);
        Add("\n\n"u8);
    }

    /// <summary>A sign of life, which readers skip.</summary>
    public void AddComment() => Add(":\n"u8);
}
