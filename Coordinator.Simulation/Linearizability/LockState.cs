namespace Coordinator.Simulation.Linearizability;

/// <summary>
/// A lock: who holds it and by which request, the highest token that was granted, and the sessions that have ended.
/// After a grant that nobody heard of the token is the least that it can be, until an answer tells. Invariants: the
/// token never falls; no ended session holds.
/// </summary>
internal readonly record struct LockState(long? Holder, long Request, long Token, bool TokenIsKnown, SessionSet Ended)
{
    public bool IsFree => Holder is null;

    public bool IsHeldBy(long session) => Holder == session;

    /// <param name="token">0: any.</param>
    public bool MayBeHeldWith(long token) =>
        Holder is not null && (token == 0 || (TokenIsKnown ? token == Token : token >= Token));

    /// <summary>The lock after a grant, whose token is null if nobody heard it.</summary>
    public LockState Grant(long session, long request, long? token) =>
        this with { Holder = session, Request = request, Token = token ?? Token + 1, TokenIsKnown = token is not null };

    /// <param name="token">0: not told.</param>
    public LockState WithToken(long token) => token == 0 ? this : this with { Token = token, TokenIsKnown = true };

    // Of a free lock only the lower bound counts: all that is equal from here on shall compare as equal.
    public LockState Release() => this with { Holder = null, Request = 0, TokenIsKnown = true };

    public LockState End(long session) =>
        (IsHeldBy(session) ? Release() : this) with { Ended = Ended.With(session) };

    public override string ToString() => Holder is null
        ? $"free, last token {Token}"
        : $"held by session {Holder} with token {(TokenIsKnown ? "" : "≥ ")}{Token}";
}
