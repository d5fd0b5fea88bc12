namespace Coordinator.Simulation.Linearizability;

/// <summary>
/// A lock: who holds it, and the highest token that was granted. After a grant that nobody heard of the token is the
/// least that it can be, until an answer tells. Invariant: the token never falls.
/// </summary>
internal readonly record struct LockState(long? Holder, long Token, bool TokenIsKnown)
{
    public bool MayBeHeldWith(long token) => Holder is not null && (TokenIsKnown ? token == Token : token >= Token);

    /// <summary>The lock after a grant, whose token is null if nobody heard it.</summary>
    public LockState Grant(long session, long? token) => new(session, token ?? Token + 1, token is not null);

    public LockState WithToken(long token) => this with { Token = token, TokenIsKnown = true };

    // Of a free lock only the lower bound counts: all that is equal from here on shall compare as equal.
    public LockState Release() => new(null, Token, true);

    public override string ToString() => Holder is null
        ? $"free, last token {Token}"
        : $"held by session {Holder} with token {(TokenIsKnown ? "" : "≥ ")}{Token}";
}
