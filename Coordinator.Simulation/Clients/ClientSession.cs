using Coordinator.Simulation.Engine;

namespace Coordinator.Simulation.Clients;

/// <summary>
/// A client's view of its session. Invariant: past <see cref="DeadlineUs"/> on its own clock the client believes in
/// nothing that the session holds, whatever it has or hasn't heard (rule 13).
/// </summary>
internal sealed class ClientSession(long id, long ttlUs)
{
    private const long MarginUs = 20_000;

    private readonly SortedSet<long> _openRequests = [];
    private long _lastRequestId;

    public long Id { get; } = id;

    public long TtlUs { get; } = ttlUs;

    /// <summary>On the client's own clock.</summary>
    public long DeadlineUs { get; private set; } = long.MinValue;

    public bool IsOver { get; set; }

    /// <summary>The client has told it to end.</summary>
    public bool IsClosing { get; set; }

    public List<HeldLock> Held { get; } = [];

    public long AnsweredBelow => _openRequests.Count > 0 ? _openRequests.Min : _lastRequestId + 1;

    public int OpenRequests => _openRequests.Count;

    public long NextRequestId()
    {
        _openRequests.Add(++_lastRequestId);
        return _lastRequestId;
    }

    public void Close(long requestId) => _openRequests.Remove(requestId);

    public void Answered(long sentLocalUs) =>
        DeadlineUs = Math.Max(DeadlineUs, sentLocalUs + TtlUs - (TtlUs / 100) - MarginUs);

    public bool IsAlive(NodeClock clock) => !IsOver && clock.NowUs < DeadlineUs;
}

/// <summary>A lock that a client believes to hold.</summary>
internal sealed record HeldLock(string Name, long Token);
