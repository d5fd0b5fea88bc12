using System.Text;
using System.Text.Json;
using Coordinator.Contracts;
using Coordinator.Silo.Http;
using Google.Protobuf;

namespace Coordinator.Tests.Silo;

public sealed class ConfigEventsTests
{
    private const int PieceMax = 100 * 1024;

    /// <summary>Thousands of clients that take nothing would otherwise keep thousands of large texts.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Large_values_are_sent_in_small_pieces_that_are_made_one_at_a_time(bool isText)
    {
        byte[] value = isText ? Encoding.UTF8.GetBytes(new string('\u00e4', 300_000) + new string('\u0001', 50_000)) : RandomBytes(700_001);
        ConfigEvent change = ScriptedWatches.Put("a", 7);
        change.Entry.Value = ByteString.CopyFrom(value);
        change.Previous = change.Entry.Clone();

        List<byte> all = [];
        foreach (ReadOnlyMemory<byte> piece in new ConfigEvents(withPrevious: true, groups: 1).Write(ScriptedWatches.Page(8, change)))
        {
            Assert.InRange(piece.Length, 0, PieceMax);
            all.AddRange(piece.Span);
        }

        string text = Encoding.UTF8.GetString([.. all]);
        string data = text[(text.IndexOf("{\"revision\":7", StringComparison.Ordinal))..];
        using JsonDocument json = JsonDocument.Parse(data.Trim());
        JsonElement told = json.RootElement.GetProperty("events")[0];
        foreach (JsonElement state in new[] { told, told.GetProperty("previous") })
        {
            byte[] read = isText
                ? Encoding.UTF8.GetBytes(state.GetProperty("value").GetString()!)
                : state.GetProperty("valueBase64").GetBytesFromBase64();
            Assert.True(value.AsSpan().SequenceEqual(read));
        }
        Assert.EndsWith("]}\n\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Many_small_changes_are_sent_in_pieces_too_and_none_is_missing()
    {
        ConfigEvent[] changes = [.. Enumerable.Range(0, 5000).Select(i => ScriptedWatches.Put($"k{i:d5}", 7, ""))];

        ReadOnlyMemory<byte>[] pieces =
            [.. new ConfigEvents(withPrevious: false, groups: 1).Write(ScriptedWatches.Page(8, changes)).Select(piece => piece.ToArray())];

        Assert.All(pieces, piece => Assert.InRange(piece.Length, 0, PieceMax));
        string text = string.Concat(pieces.Select(piece => Encoding.UTF8.GetString(piece.Span)));
        Assert.All(changes, change => Assert.Contains($"\"{change.Entry.Key}\"", text, StringComparison.Ordinal));
        using JsonDocument json = JsonDocument.Parse(text[text.IndexOf("{\"revision\":7", StringComparison.Ordinal)..].Trim());
        Assert.Equal(5000, json.RootElement.GetProperty("events").GetArrayLength());
    }

    private static byte[] RandomBytes(int count)
    {
        byte[] bytes = new byte[count];
        new Random(1).NextBytes(bytes);
        return bytes;
    }
}
