using System.Buffers.Binary;
using Coordinator.Contracts;

namespace Coordinator.Replica.State;

/// <summary>
/// The live sessions, by id and by the nonce of their creation. Invariant: each is in the due heap, so that none
/// outlives its deadline.
/// </summary>
internal sealed class SessionTable(StateSettings settings, DueHeap due)
{
    private readonly SortedBlocks<long, Session, Int64Order> _byId = new();
    private readonly SeededBug _planted = SeededBugs.Planted;
    private readonly SortedBlocks<UInt128, Session, UInt128Order> _byNonce = new();

    public SortedBlocks<long, Session, Int64Order> ById => _byId;

    public int Count => _byId.Count;

    public Session? Find(long sessionId) => _byId.TryGet(sessionId, out Session? session) ? session : null;

    public bool KnowsNonce(UInt128 nonce) => _byNonce.TryGet(nonce, out _);

    /// <summary>
    /// A new session, or with the nonce of a live one that one again. A repeat is also a sign of life: its client counts
    /// the TTL from when it sent this request, not the first, so the deadline must follow.
    /// </summary>
    public CommandResult Create(Command command, in ApplyContext context)
    {
        CreateSession create = command.CreateSession;
        UInt128? nonce = create.Nonce.IsEmpty ? null : BinaryPrimitives.ReadUInt128BigEndian(create.Nonce.Span);
        if (nonce is { } known && _byNonce.TryGet(known, out Session? live))
        {
            KeepAlive(live, context.LogTimeUs);
            return Created(live);
        }
        if (Count >= settings.SessionsMax)
            return new CommandResult { Error = ErrorCode.TooManySessions };
        var session = new Session(context.Index)
        {
            TtlUs = create.TtlUs,
            Nonce = nonce,
            Metadata = create.Metadata,
            Caller = command.Caller,
            CreatedUs = context.LogTimeUs,
            DueUs = ApplyContext.After(context.LogTimeUs, create.TtlUs),
        };
        Add(session);
        return Created(session);
    }

    /// <summary>Extends what lives and ignores the rest: the entry gathers sessions of many clients.</summary>
    public void KeepAlive(KeepAlive keepAlive)
    {
        foreach (long sessionId in keepAlive.SessionIds)
        {
            if (Find(sessionId) is { } session)
                KeepAlive(session, keepAlive.AsOfUs);
        }
    }

    public void Add(Session session)
    {
        _byId.Add(session.Id, session);
        if (session.Nonce is { } nonce)
            _byNonce.Add(nonce, session);
        due.Add(session);
    }

    public void Remove(Session session)
    {
        _byId.Remove(session.Id);
        if (session.Nonce is { } nonce)
            _byNonce.Remove(nonce);
        due.Remove(session);
    }

    private void KeepAlive(Session session, long asOfUs)
    {
        long ttlUs = _planted == SeededBug.ExpiresEarly ? session.TtlUs * 9 / 10 : session.TtlUs;
        long deadline = ApplyContext.After(asOfUs, ttlUs);
        if (deadline > session.DueUs)
            due.Postpone(session, deadline);
    }

    private static CommandResult Created(Session session) =>
        new() { Outcome = Outcome.Done, SessionId = session.Id, TtlUs = session.TtlUs };
}
