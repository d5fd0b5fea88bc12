using Coordinator.Simulation.Linearizability;

namespace Coordinator.Tests.Linearizability;

/// <summary>One lock as the service would keep it, and random questions to it.</summary>
internal sealed class TrueLock(Random random)
{
    private long? holder;
    private long token;

    public LockInput Ask() => random.Next(8) switch
    {
        0 or 1 or 2 => new LockInput.Acquire("l", Session()),
        3 or 4 => new LockInput.Release("l", holder ?? Session(), 0),
        5 => new LockInput.Release("l", holder ?? Session(), random.Next(2) == 0 ? Math.Max(token, 1) : 1),
        6 => new LockInput.Look("l"),
        _ => new LockInput.EndSession(Session()),
    };

    public LockOutput Apply(LockInput input)
    {
        switch (input)
        {
            case LockInput.Acquire acquire when holder is null:
                holder = acquire.Session;
                token += random.Next(1, 3);
                return new LockOutput.Granted(token);
            case LockInput.Acquire acquire:
                return holder == acquire.Session ? new LockOutput.AlreadyHeld() : new LockOutput.NotAcquired();
            case LockInput.Release release:
                if (holder != release.Session || (release.Token != 0 && release.Token != token))
                    return new LockOutput.NotHeld();
                holder = null;
                return new LockOutput.Released();
            case LockInput.EndSession end:
                holder = holder == end.Session ? null : holder;
                return new LockOutput.Ended();
            default:
                return holder is { } session ? new LockOutput.Holder(session, token) : new LockOutput.Free();
        }
    }

    private long Session() => random.Next(1, 4);
}
