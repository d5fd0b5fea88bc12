using System.Text.Json.Serialization;

namespace Coordinator.Simulation.Linearizability;

/// <summary>What a session, or whoever looks, asks of a lock.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "op")]
[JsonDerivedType(typeof(Acquire), "acquire")]
[JsonDerivedType(typeof(Release), "release")]
[JsonDerivedType(typeof(Withdraw), "withdraw")]
[JsonDerivedType(typeof(Look), "look")]
[JsonDerivedType(typeof(EndSession), "end-session")]
internal abstract record LockInput
{
    /// <summary>
    /// Also one that waits. One that ended as Cancelled without a token had no effect; one that nobody heard of again has
    /// an unknown outcome, and so has the withdrawal that its cancel may have caused: record both.
    /// </summary>
    /// <param name="Request">For a withdrawal to name; 0 if none ever will.</param>
    public sealed record Acquire(string Name, long Session, long Request = 0) : LockInput;

    /// <summary><paramref name="Token"/> 0: whatever the session holds on the name.</summary>
    public sealed record Release(string Name, long Session, long Token) : LockInput;

    /// <summary>A cancel that gives back what this very request was granted. All cancels of one are one operation.</summary>
    public sealed record Withdraw(string Name, long Session, long Request) : LockInput;

    public sealed record Look(string Name) : LockInput;

    /// <summary>
    /// Ends all that the session holds, for good. Of a session that may expire: an operation with an unknown outcome,
    /// invoked at the earliest moment at which it may, a TTL after its last answered keep-alive was sent.
    /// </summary>
    /// <param name="Name">Its end as this lock sees it; null: as each lock does.</param>
    public sealed record EndSession(long Session, string? Name = null) : LockInput;
}

/// <summary>What the service answered.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "outcome")]
[JsonDerivedType(typeof(Granted), "granted")]
[JsonDerivedType(typeof(NotAcquired), "not-acquired")]
[JsonDerivedType(typeof(AlreadyHeld), "already-held")]
[JsonDerivedType(typeof(Released), "released")]
[JsonDerivedType(typeof(NotHeld), "not-held")]
[JsonDerivedType(typeof(Holder), "holder")]
[JsonDerivedType(typeof(Free), "free")]
[JsonDerivedType(typeof(Ended), "ended")]
internal abstract record LockOutput
{
    public sealed record Granted(long Token) : LockOutput;

    /// <summary>A try found the lock taken, or a bounded wait ended while it was.</summary>
    public sealed record NotAcquired : LockOutput;

    /// <summary>By this very session. <paramref name="Token"/> 0: not told.</summary>
    public sealed record AlreadyHeld(long Token = 0) : LockOutput;

    /// <summary><paramref name="Token"/> of what was held; 0: not told.</summary>
    public sealed record Released(long Token = 0) : LockOutput;

    /// <summary>Not by this session, or not with this token.</summary>
    public sealed record NotHeld : LockOutput;

    public sealed record Holder(long Session, long Token) : LockOutput;

    public sealed record Free : LockOutput;

    public sealed record Ended : LockOutput;
}
