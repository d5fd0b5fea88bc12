using Coordinator.Simulation.Linearizability;

namespace Coordinator.Tests.Linearizability;

/// <summary>One lock as the service would keep it, and random questions to it.</summary>
internal sealed class TrueLock(Random random)
{
    private const int Sessions = 3;

    private readonly HashSet<long> ended = [];
    private long? holder;
    private long heldBy;
    private long token;

    public LockInput Ask() => random.Next(9) switch
    {
        0 or 1 or 2 => new LockInput.Acquire("l", Session(), random.Next(2)),
        3 or 4 => new LockInput.Release("l", holder ?? Session(), 0),
        5 => new LockInput.Release("l", holder ?? Session(), random.Next(2) == 0 ? Math.Max(token, 1) : 1),
        6 => new LockInput.Look("l"),
        7 => new LockInput.Withdraw("l", holder ?? Session(), random.Next(2)),
        _ => new LockInput.EndSession(Session()),
    };

    public LockOutput Apply(LockInput input)
    {
        switch (input)
        {
            // It answers by name, which is no answer of the model's: to a history it is as if somebody had it.
            case LockInput.Acquire acquire when ended.Contains(acquire.Session):
                return new LockOutput.NotAcquired();
            case LockInput.Acquire acquire when holder is null:
                holder = acquire.Session;
                heldBy = acquire.Request;
                token += random.Next(1, 3);
                return new LockOutput.Granted(token);
            case LockInput.Acquire acquire:
                return holder == acquire.Session ? new LockOutput.AlreadyHeld(Told()) : new LockOutput.NotAcquired();
            case LockInput.Release release:
                if (holder != release.Session || (release.Token != 0 && release.Token != token))
                    return new LockOutput.NotHeld();
                holder = null;
                return new LockOutput.Released(Told());
            case LockInput.Withdraw withdraw:
                if (holder != withdraw.Session || heldBy != withdraw.Request)
                    return new LockOutput.NotHeld();
                holder = null;
                return new LockOutput.Released(Told());
            case LockInput.EndSession end:
                ended.Add(end.Session);
                holder = holder == end.Session ? null : holder;
                return new LockOutput.Ended();
            default:
                return holder is { } session ? new LockOutput.Holder(session, token) : new LockOutput.Free();
        }
    }

    /// <summary>One that has ended is replaced, most of the time.</summary>
    private long Session()
    {
        long session = random.Next(1, Sessions + 1);
        while (ended.Contains(session) && random.Next(4) != 0)
            session += Sessions;
        return session;
    }

    private long Told() => random.Next(2) == 0 ? token : 0;
}
