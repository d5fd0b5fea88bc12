using System.Text.Json.Serialization;

namespace Coordinator.Simulation.Linearizability;

/// <summary>What a session, or whoever looks, asks of a lock.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "op")]
[JsonDerivedType(typeof(Acquire), "acquire")]
[JsonDerivedType(typeof(Release), "release")]
[JsonDerivedType(typeof(Look), "look")]
[JsonDerivedType(typeof(EndSession), "end-session")]
internal abstract record LockInput
{
    /// <summary>
    /// Also one that waits. One that ended as Cancelled had no effect; one that nobody heard of again has an unknown
    /// outcome, and so has the release that its cancel may have caused: record both.
    /// </summary>
    public sealed record Acquire(string Name, long Session) : LockInput;

    /// <summary><paramref name="Token"/> 0: whatever the session holds on the name.</summary>
    public sealed record Release(string Name, long Session, long Token) : LockInput;

    public sealed record Look(string Name) : LockInput;

    /// <summary>
    /// Ends all that the session holds. Of a session that may expire: an operation with an unknown outcome, invoked
    /// when its last keep-alive was sent.
    /// </summary>
    public sealed record EndSession(long Session) : LockInput;
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

    /// <summary>By this very session.</summary>
    public sealed record AlreadyHeld : LockOutput;

    public sealed record Released : LockOutput;

    /// <summary>Not by this session, or not with this token.</summary>
    public sealed record NotHeld : LockOutput;

    public sealed record Holder(long Session, long Token) : LockOutput;

    public sealed record Free : LockOutput;

    public sealed record Ended : LockOutput;
}
