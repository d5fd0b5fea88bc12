using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Coordinator.Silo.Http;

/// <summary>
/// Some server-sent events, as they are sent: one JSON object each, in which a line break is never written as such. Taken
/// a piece at a time, so that it never grows to the size of its events.
/// </summary>
internal sealed class EventText
{
    /// <summary>Large enough to be sent by itself.</summary>
    private const int PieceBytes = 32 * 1024;

    private readonly ArrayBufferWriter<byte> _buffer = new(512);
    private bool _isTaken;

    public bool IsPiece => !_isTaken && _buffer.WrittenCount >= PieceBytes;

    /// <summary>What was added since the last call; valid until something is added.</summary>
    public ReadOnlyMemory<byte> Take()
    {
        if (_isTaken)
            return default;
        _isTaken = true;
        return _buffer.WrittenMemory;
    }

    public void Add(ReadOnlySpan<byte> text)
    {
        Reuse();
        _buffer.Write(text);
    }

    /// <summary>All of an event up to its data.</summary>
    public void AddHead(string name, long? id)
    {
        if (id is { } number)
            Add(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"id: {number}\n")));
        Add(Encoding.UTF8.GetBytes($"event: {name}\ndata: "));
    }

    public void AddObject(Action<Utf8JsonWriter> members)
    {
        using Utf8JsonWriter json = NewWriter();
        json.WriteStartObject();
        members(json);
        json.WriteEndObject();
    }

    /// <summary>Adds here what it is flushed of, also after a piece was taken and <see cref="Reuse"/> was called.</summary>
    public Utf8JsonWriter NewWriter()
    {
        Reuse();
        return new Utf8JsonWriter(_buffer, Answers.WriterOptions);
    }

    /// <summary>A piece that was taken is done with.</summary>
    public void Reuse()
    {
        if (!_isTaken)
            return;
        _isTaken = false;
        _buffer.ResetWrittenCount();
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
