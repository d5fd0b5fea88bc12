namespace Coordinator.Simulation.Linearizability;

/// <summary>
/// A lock as a fenced mutex. Invariant: granted only while free, never to a session that has ended (rule 17), and each
/// time with a token higher than all before (rule 18).
/// </summary>
internal sealed class LockModel : Model<LockInput, LockOutput, LockState>
{
    public override string Name => "lock";

    public override LockState Initial => new(null, 0, 0, true, default);

    public override string? KeyOf(LockInput input) => input switch
    {
        LockInput.Acquire acquire => acquire.Name,
        LockInput.Release release => release.Name,
        LockInput.Withdraw withdraw => withdraw.Name,
        LockInput.Look look => look.Name,
        LockInput.EndSession end => end.Name,
        _ => throw new ArgumentException($"Unknown operation {input}.", nameof(input)),
    };

    public override bool TryStep(LockState state, LockInput input, LockOutput? output, out LockState next) =>
        input switch
        {
            LockInput.Acquire acquire => Acquire(state, acquire, output, out next),
            LockInput.Release release => Release(state, release, output, out next),
            LockInput.Withdraw withdraw => Withdraw(state, withdraw, output, out next),
            LockInput.Look => Look(state, input, output, out next),
            LockInput.EndSession end => EndSession(state, end, output, out next),
            _ => throw new ArgumentException($"Unknown operation {input}.", nameof(input)),
        };

    private static bool Acquire(LockState state, LockInput.Acquire acquire, LockOutput? output, out LockState next)
    {
        next = state;
        bool mayBeGranted = state.IsFree && !state.Ended.Contains(acquire.Session);
        switch (output)
        {
            case null:
                next = state.Grant(acquire.Session, acquire.Request, null);
                return mayBeGranted;
            case LockOutput.Granted granted:
                next = state.Grant(acquire.Session, acquire.Request, granted.Token);
                return mayBeGranted && granted.Token > state.Token;
            case LockOutput.NotAcquired:
                return !state.IsFree;
            case LockOutput.AlreadyHeld held:
                next = state.WithToken(held.Token);
                return state.IsHeldBy(acquire.Session) && state.MayBeHeldWith(held.Token);
            default:
                throw NoAnswer(acquire, output);
        }
    }

    private static bool Release(LockState state, LockInput.Release release, LockOutput? output, out LockState next)
    {
        long told = (output as LockOutput.Released)?.Token ?? 0;
        bool mayHold = state.IsHeldBy(release.Session) && state.MayBeHeldWith(release.Token);
        LockState held = state.WithToken(release.Token);
        next = held.WithToken(told).Release();
        switch (output)
        {
            case null or LockOutput.Released:
                return mayHold && held.MayBeHeldWith(told);
            case LockOutput.NotHeld:
                next = state;
                // A token that nobody heard of may be another than the one named.
                return !mayHold || (release.Token != 0 && !state.TokenIsKnown);
            default:
                throw NoAnswer(release, output);
        }
    }

    private static bool Withdraw(LockState state, LockInput.Withdraw withdraw, LockOutput? output, out LockState next)
    {
        long told = (output as LockOutput.Released)?.Token ?? 0;
        bool holds = state.IsHeldBy(withdraw.Session) && state.Request == withdraw.Request;
        next = holds ? state.WithToken(told).Release() : state;
        return output switch
        {
            null => true,
            LockOutput.Released => holds && state.MayBeHeldWith(told),
            LockOutput.NotHeld => !holds,
            _ => throw NoAnswer(withdraw, output),
        };
    }

    private static bool Look(LockState state, LockInput look, LockOutput? output, out LockState next)
    {
        next = state;
        switch (output)
        {
            case null:
                return true;
            case LockOutput.Free:
                return state.IsFree;
            case LockOutput.Holder holder:
                next = state.WithToken(holder.Token);
                return state.IsHeldBy(holder.Session) && state.MayBeHeldWith(holder.Token);
            default:
                throw NoAnswer(look, output);
        }
    }

    private static bool EndSession(LockState state, LockInput.EndSession end, LockOutput? output, out LockState next)
    {
        // An end that nobody knows of explains something only if it frees the lock.
        next = output is not null || state.IsHeldBy(end.Session) ? state.End(end.Session) : state;
        return output is null or LockOutput.Ended ? true : throw NoAnswer(end, output);
    }

    private static ArgumentException NoAnswer(LockInput input, LockOutput output) =>
        new($"{output} is no answer to {input}.", nameof(output));

    /// <summary>Twice the token, so that a release comes after all else that tells of its grant.</summary>
    public override Int128? RankOf(LockInput input, LockOutput? output) => (input, output) switch
    {
        (_, LockOutput.Granted granted) => 2 * (Int128)granted.Token,
        (_, LockOutput.Holder holder) => 2 * (Int128)holder.Token,
        (_, LockOutput.AlreadyHeld { Token: > 0 } held) => 2 * (Int128)held.Token,
        (_, LockOutput.Released { Token: > 0 } released) => (2 * (Int128)released.Token) + 1,
        (LockInput.Release { Token: > 0 } release, LockOutput.Released) => (2 * (Int128)release.Token) + 1,
        _ => null,
    };

    public override Int128 RankOf(LockState state) => (2 * (Int128)state.Token) + (state.IsFree ? 1 : 0);

    public override bool IsAsFree(LockState other, LockState state) => other.IsFree
        ? state.IsFree && other.Token <= state.Token && other.Ended.IsSubsetOf(state.Ended)
        : other == state;

    public override IReadOnlyList<Operation<LockInput, LockOutput>> Resolve(
        IReadOnlyList<Operation<LockInput, LockOutput>> operations) => UnheardAcquires.Resolve(operations);

    public override string Describe(LockInput input, LockOutput? output)
    {
        string asked = input switch
        {
            LockInput.Acquire acquire => $"acquire by session {acquire.Session}",
            LockInput.Release { Token: 0 } release => $"release by session {release.Session}",
            LockInput.Release release => $"release by session {release.Session} of token {release.Token}",
            LockInput.Withdraw withdraw => $"withdraw by session {withdraw.Session} of request {withdraw.Request}",
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
