namespace Coordinator.Simulation.Linearizability;

/// <summary>
/// A lock as a fenced mutex. Invariant: granted only while free, and each time with a token higher than all before
/// (rule 18).
/// </summary>
internal sealed class LockModel : Model<LockInput, LockOutput, LockState>
{
    public override string Name => "lock";

    public override LockState Initial => new(null, 0, true);

    public override string? KeyOf(LockInput input) => input switch
    {
        LockInput.Acquire acquire => acquire.Name,
        LockInput.Release release => release.Name,
        LockInput.Look look => look.Name,
        _ => null,
    };

    public override bool TryStep(LockState state, LockInput input, LockOutput? output, out LockState next) =>
        input switch
        {
            LockInput.Acquire acquire => Acquire(state, acquire, output, out next),
            LockInput.Release release => Release(state, release, output, out next),
            LockInput.Look => Look(state, input, output, out next),
            LockInput.EndSession end => EndSession(state, end, output, out next),
            _ => throw new ArgumentException($"Unknown operation {input}.", nameof(input)),
        };

    private static bool Acquire(LockState state, LockInput.Acquire acquire, LockOutput? output, out LockState next)
    {
        next = state;
        switch (output)
        {
            case null:
                next = state.Grant(acquire.Session, null);
                return state.Holder is null;
            case LockOutput.Granted granted:
                next = state.Grant(acquire.Session, granted.Token);
                return state.Holder is null && granted.Token > state.Token;
            case LockOutput.NotAcquired:
                return state.Holder is not null;
            case LockOutput.AlreadyHeld:
                return state.Holder == acquire.Session;
            default:
                throw NoAnswer(acquire, output);
        }
    }

    private static bool Release(LockState state, LockInput.Release release, LockOutput? output, out LockState next)
    {
        bool mayHold = state.Holder == release.Session && (release.Token == 0 || state.MayBeHeldWith(release.Token));
        next = (release.Token == 0 ? state : state.WithToken(release.Token)).Release();
        switch (output)
        {
            case null or LockOutput.Released:
                return mayHold;
            case LockOutput.NotHeld:
                next = state;
                // A token that nobody heard of may be another than the one named.
                return !mayHold || (release.Token != 0 && !state.TokenIsKnown);
            default:
                throw NoAnswer(release, output);
        }
    }

    private static bool Look(LockState state, LockInput look, LockOutput? output, out LockState next)
    {
        next = state;
        switch (output)
        {
            case null:
                return true;
            case LockOutput.Free:
                return state.Holder is null;
            case LockOutput.Holder holder:
                next = state.WithToken(holder.Token);
                return state.Holder == holder.Session && state.MayBeHeldWith(holder.Token);
            default:
                throw NoAnswer(look, output);
        }
    }

    private static bool EndSession(LockState state, LockInput.EndSession end, LockOutput? output, out LockState next)
    {
        next = state.Holder == end.Session ? state.Release() : state;
        return output is null or LockOutput.Ended ? true : throw NoAnswer(end, output);
    }

    private static ArgumentException NoAnswer(LockInput input, LockOutput output) =>
        new($"{output} is no answer to {input}.", nameof(output));

    public override string Describe(LockInput input, LockOutput? output)
    {
        string asked = input switch
        {
            LockInput.Acquire acquire => $"acquire by session {acquire.Session}",
            LockInput.Release { Token: 0 } release => $"release by session {release.Session}",
            LockInput.Release release => $"release by session {release.Session} of token {release.Token}",
            LockInput.EndSession end => $"end of session {end.Session}",
            _ => "look",
        };
        return output switch
        {
            null => $"{asked}: unknown",
            LockOutput.Granted granted => $"{asked}: token {granted.Token}",
            LockOutput.NotAcquired => $"{asked}: not acquired",
            LockOutput.AlreadyHeld => $"{asked}: already held",
            LockOutput.NotHeld => $"{asked}: not held",
            LockOutput.Holder holder => $"{asked}: session {holder.Session}, token {holder.Token}",
            LockOutput.Free => $"{asked}: free",
            _ => $"{asked}: ok",
        };
    }
}
