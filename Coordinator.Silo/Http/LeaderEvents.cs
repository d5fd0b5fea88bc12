using Coordinator.Contracts;

namespace Coordinator.Silo.Http;

/// <summary>
/// Who leads an election, as events: as it is now, and whenever it has changed. The id is the log index that an event
/// reflects, so that whoever comes again with it is told nothing older.
/// </summary>
internal sealed class LeaderEvents(string name, int groups) : IStreamEvents
{
    public bool IsInside => false;

    public static Watch Read(HttpContext context, Fields fields, string name) => new()
    {
        Election = new ObserveElection { Name = name },
        SeenIndex = Math.Max(
            Queries.SeenIndex(context, fields), EventStreams.LastEventId(context, fields) ?? 0),
    };

    public IEnumerable<ReadOnlyMemory<byte>> Write(WatchPage page)
    {
        EventText text = new();
        if (page.Election is { } leader)
            Write(leader, page.Position, text);
        else
            text.AddComment();
        return [text.Take()];
    }

    private void Write(ElectionState leader, Position position, EventText text)
    {
        text.AddEvent("leader", position.Index, json =>
        {
            json.WriteString("name", name);
            if (leader.Token == 0)
            {
                json.WriteNull("leader");
                return;
            }
            json.WriteStartObject("leader");
            json.WriteSession("sessionId", new SessionIds(groups, position.Group), leader.SessionId);
            json.WriteNumber("token", leader.Token);
            json.WriteString("value", leader.Value);
            json.WriteEndObject();
        });
    }
}
