using System.Text;
using Coordinator.Contracts;

namespace Coordinator.Silo.Http;

/// <summary>
/// Changes of configuration as events: one a revision, whose id is the revision. Invariant: an event's end is written only
/// when all of its revision is, and each id promises that everything up to it has been sent.
/// </summary>
internal sealed class ConfigEvents(bool withPrevious, int groups) : IStreamEvents
{
    private static readonly string[] ListingFields = ["after", "limit", "values", "count", "revision", "consistency"];

    private bool _hasBegun;
    private long _revision;

    public bool IsInside => _revision != 0;

    /// <summary>What a request asks to be told of.</summary>
    public static Watch Read(HttpContext context, Fields fields, int groups, out ConfigEvents events)
    {
        foreach (string name in ListingFields.Where(fields.Has))
            fields.Refuse(ErrorCode.InvalidRequest, $"A watch has no \"{name}\": that is for listings.");
        bool isKey = fields.Has("key");
        if (isKey && fields.Has("prefix"))
            fields.Refuse(ErrorCode.InvalidRequest, "A watch is of a \"key\" or of a \"prefix\", not of both.");
        WatchConfig config = new()
        {
            Key = isKey
                ? fields.Text("key", ResourceName.Problem, ErrorCode.InvalidName)
                : fields.Text("prefix", ResourceName.PrefixProblem, ErrorCode.InvalidName),
            IsPrefix = !isKey,
            FromRevision = fields.Count("from"),
            WithPrevious = fields.Choice("previous", "false", "true") == "true",
        };
        // It wins: a browser that comes again asks with the same parameters as at first.
        if (EventStreams.LastEventId(context, fields) is { } last)
            config.FromRevision = last + 1;
        events = new ConfigEvents(config.WithPrevious, groups);
        return new Watch { Config = config, SeenIndex = Queries.SeenIndex(context, fields) };
    }

    public IEnumerable<ReadOnlyMemory<byte>> Write(WatchPage page)
    {
        EventText text = new();
        SessionIds sessions = new(groups, page.Position?.Group ?? 0);
        if (!_hasBegun)
            WriteProgress(text, page.Events.Count > 0 ? page.Events[0].Entry.ModifyRevision - 1 : page.NextRevision - 1);
        else if (page.Events.Count == 0 && !IsInside)
            WriteProgress(text, page.NextRevision - 1);
        _hasBegun = true;
        // Data may have several lines: JSON goes on after a line break between two of its values.
        if (IsInside)
            text.Add("data: "u8);
        foreach (ConfigEvent change in page.Events)
        {
            WriteSeparator(text, change.Entry.ModifyRevision);
            foreach (ReadOnlyMemory<byte> piece in ConfigJson.Pieces(text, sessions, change, withPrevious))
                yield return piece;
        }
        if (!page.Continues)
            WriteEnd(text);
        else if (IsInside)
            text.Add("\n"u8);
        yield return text.Take();
    }

    private void WriteSeparator(EventText text, long revision)
    {
        if (revision == _revision)
        {
            text.Add(","u8);
            return;
        }
        WriteEnd(text);
        _revision = revision;
        text.AddHead("change", revision);
        text.Add(Encoding.UTF8.GetBytes($"{{\"revision\":{revision},\"events\":["));
    }

    private void WriteEnd(EventText text)
    {
        if (IsInside)
            text.Add("]}\n\n"u8);
        _revision = 0;
    }

    private static void WriteProgress(EventText text, long revision) =>
        text.AddEvent("progress", revision, json => json.WriteNumber("revision", revision));
}
