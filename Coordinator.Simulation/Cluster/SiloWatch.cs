using Coordinator.Contracts;
using Coordinator.Simulation.Clients;
using Coordinator.Simulation.Engine;

namespace Coordinator.Simulation.Cluster;

/// <summary>
/// One watch of a client's connection at a silo: one ticket after the other, as the real interface asks. Invariant: each
/// begins where the last page ended; once begun, only the client, the connection or the cluster's word ends it.
/// </summary>
internal sealed class SiloWatch(PeerProcess process, Watch watch, EventQueue events, Prng random, Action<WatchPage> send)
{
    private const long RetryUs = 50_000;

    /// <summary>How long it waits for a leader before its first page.</summary>
    private const long LeaderTimeoutUs = 5_000_000;

    private readonly long _startedUs = events.NowUs;
    private Watch _next = watch;
    private ClientWatchTicket? _ticket;
    private bool _hasBegun;
    private bool _isOver;

    public void Ask()
    {
        if (_isOver)
            return;
        // Never changed afterwards: the replica may still look at it.
        _ticket = new ClientWatchTicket(_next, (_, page) => Answered(page));
        process.Submit(_ticket);
    }

    public void End()
    {
        _isOver = true;
        if (_ticket is { } ticket)
            process.Forget(ticket);
    }

    private void Answered(WatchPage page)
    {
        if (_isOver)
            return;
        if (page.Error is ErrorCode.NotLeader or ErrorCode.NoQuorum or ErrorCode.Stopping or ErrorCode.Quarantined)
        {
            if (_hasBegun || events.NowUs - _startedUs < LeaderTimeoutUs)
            {
                events.After(RetryUs, Ask);
                return;
            }
            page = new WatchPage { Error = ErrorCode.NoQuorum };
        }
        _hasBegun = true;
        Advance(page);
        foreach (WatchPage part in Split(page))
            send(part);
        if (page.Error == ErrorCode.Ok)
            Ask();
        else
            _isOver = true;
    }

    private void Advance(WatchPage page)
    {
        Watch next = _next.Clone();
        next.SeenIndex = Math.Max(next.SeenIndex, page.Position?.Index ?? 0);
        if (next.Config is { } config)
            config.FromRevision = page.NextRevision;
        if (next.Election is { } election && page.Election is { } leader)
            election.Seen = leader;
        if (next.Session is { } session && page.Session is { } notices)
            session.SeenNotice = notices.Notice;
        _next = next;
    }

    /// <summary>As where a page is larger than a frame: in two, within a revision too.</summary>
    private IEnumerable<WatchPage> Split(WatchPage page)
    {
        if (page.Events.Count < 2 || random.Chance(0.7))
            return [page];
        int cut = 1 + random.Below(page.Events.Count - 1);
        long nextRevision = page.Events[cut].Entry.ModifyRevision;
        var first = new WatchPage
        {
            Position = page.Position,
            NextRevision = nextRevision,
            Continues = page.Events[cut - 1].Entry.ModifyRevision == nextRevision,
            Events = { page.Events.Take(cut) },
        };
        var rest = new WatchPage { Position = page.Position, NextRevision = page.NextRevision, Events = { page.Events.Skip(cut) } };
        return [first, rest];
    }
}
