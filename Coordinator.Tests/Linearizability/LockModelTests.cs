using Coordinator.Simulation.Linearizability;

namespace Coordinator.Tests.Linearizability;

public sealed class LockModelTests
{
    private readonly OperationRecorder<LockInput, LockOutput> recorder = new(new ManualTime());

    [Fact]
    public void Holders_that_take_turns_with_rising_tokens_are_linearizable()
    {
        Run(Acquire(1), new LockOutput.Granted(4));
        Run(Acquire(2), new LockOutput.NotAcquired());
        Run(Acquire(1), new LockOutput.AlreadyHeld());
        int waiting = recorder.Invoke(2, Acquire(2));
        Run(Look, new LockOutput.Holder(1, 4));
        Run(Release(1, 4), new LockOutput.Released());
        recorder.Return(waiting, new LockOutput.Granted(6));
        Run(Release(1, 4), new LockOutput.NotHeld());
        Run(Release(2, 0), new LockOutput.Released());
        Run(Look, new LockOutput.Free());
        Expect(Verdict.Linearizable);
    }

    [Fact]
    public void Two_holders_at_once_are_a_violation()
    {
        Run(Acquire(1), new LockOutput.Granted(4));
        Run(Acquire(2), new LockOutput.Granted(6));
        Run(Release(1, 4), new LockOutput.Released());
        Expect(Verdict.NotLinearizable);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(3)]
    public void A_token_that_does_not_rise_is_a_violation(long token)
    {
        Run(Acquire(1), new LockOutput.Granted(4));
        Run(Release(1, 4), new LockOutput.Released());
        Run(Acquire(2), new LockOutput.Granted(token));
        Expect(Verdict.NotLinearizable);
    }

    [Fact]
    public void A_refusal_while_the_lock_is_free_is_a_violation()
    {
        Run(Acquire(1), new LockOutput.Granted(4));
        Run(Release(1, 4), new LockOutput.Released());
        Run(Acquire(2), new LockOutput.NotAcquired());
        Expect(Verdict.NotLinearizable);
    }

    [Fact]
    public void A_release_with_an_old_token_must_not_release()
    {
        Run(Acquire(1), new LockOutput.Granted(4));
        Run(Release(1, 4), new LockOutput.Released());
        Run(Acquire(1), new LockOutput.Granted(5));
        Run(Release(1, 4), new LockOutput.Released());
        Expect(Verdict.NotLinearizable);
    }

    [Fact]
    public void A_session_that_may_have_ended_explains_the_next_grant()
    {
        Run(Acquire(1), new LockOutput.Granted(4));
        recorder.Invoke(1, new LockInput.EndSession(1));
        Run(Look, new LockOutput.Holder(1, 4));
        Run(Acquire(2), new LockOutput.Granted(6));
        Expect(Verdict.Linearizable);
    }

    [Fact]
    public void The_end_of_another_session_explains_nothing()
    {
        Run(Acquire(1), new LockOutput.Granted(4));
        Run(new LockInput.EndSession(3), new LockOutput.Ended());
        Run(Acquire(2), new LockOutput.Granted(6));
        Expect(Verdict.NotLinearizable);
    }

    [Fact]
    public void The_end_of_a_session_frees_every_lock_that_it_holds()
    {
        foreach (string name in (string[])["a", "b"])
            Run(new LockInput.Acquire(name, 1), new LockOutput.Granted(4));
        Run(new LockInput.EndSession(1), new LockOutput.Ended());
        foreach (string name in (string[])["a", "b"])
            Run(new LockInput.Look(name), new LockOutput.Free());
        Expect(Verdict.Linearizable);
    }

    [Fact]
    public void An_acquire_of_unknown_outcome_may_hold_the_lock_and_uses_up_a_token()
    {
        Run(Acquire(1), new LockOutput.Granted(4));
        recorder.GiveUp(recorder.Invoke(2, Acquire(2)));
        Run(Release(1, 4), new LockOutput.Released());
        Run(Acquire(3), new LockOutput.NotAcquired());
        Run(Look, new LockOutput.Holder(2, 7));
        recorder.GiveUp(recorder.Invoke(2, Release(2, 0)));
        Run(Acquire(3), new LockOutput.Granted(8));
        Expect(Verdict.Linearizable);
    }

    [Fact]
    public void A_token_not_above_that_of_an_acquire_nobody_heard_of_is_a_violation()
    {
        Run(Acquire(1), new LockOutput.Granted(4));
        recorder.GiveUp(recorder.Invoke(2, Acquire(2)));
        Run(Release(1, 4), new LockOutput.Released());
        Run(Acquire(3), new LockOutput.NotAcquired());
        Run(Release(2, 0), new LockOutput.Released());
        Run(Acquire(3), new LockOutput.Granted(5));
        Expect(Verdict.NotLinearizable);
    }

    [Fact]
    public void A_session_that_has_ended_is_granted_nothing()
    {
        int acquire = recorder.Invoke(1, Acquire(1));
        Run(new LockInput.EndSession(1), new LockOutput.Ended());
        Run(Look, new LockOutput.Free());
        Run(Acquire(2), new LockOutput.Granted(6));
        recorder.Return(acquire, new LockOutput.Granted(8));
        Expect(Verdict.NotLinearizable);
    }

    [Fact]
    public void A_grant_and_the_end_of_its_session_may_both_have_happened_unheard()
    {
        recorder.GiveUp(recorder.Invoke(1, Acquire(1)));
        Run(Acquire(2), new LockOutput.NotAcquired());
        recorder.Invoke(1, new LockInput.EndSession(1, "l"));
        Run(Acquire(2), new LockOutput.Granted(6));
        Run(Release(2, 6), new LockOutput.Released(6));
        Run(Acquire(3), new LockOutput.NotAcquired());
        Expect(Verdict.NotLinearizable);
    }

    [Fact]
    public void A_withdrawal_gives_back_what_its_own_request_was_granted()
    {
        Run(new LockInput.Acquire("l", 1, Request: 3), new LockOutput.Granted(4));
        Run(new LockInput.Withdraw("l", 1, Request: 3), new LockOutput.Released(4));
        Run(Acquire(2), new LockOutput.Granted(6));
        Expect(Verdict.Linearizable);
    }

    [Fact]
    public void A_withdrawal_of_another_request_of_the_session_explains_nothing()
    {
        recorder.GiveUp(recorder.Invoke(1, new LockInput.Withdraw("l", 1, Request: 3)));
        Run(new LockInput.Acquire("l", 1, Request: 4), new LockOutput.Granted(4));
        Run(Acquire(2), new LockOutput.Granted(6));
        Expect(Verdict.NotLinearizable);
    }

    [Fact]
    public void A_lock_is_not_released_before_it_is_told_to_be_held()
    {
        Run(Acquire(1), new LockOutput.Granted(4));
        int release = recorder.Invoke(1, Release(1, 0));
        Run(Acquire(1), new LockOutput.AlreadyHeld(4));
        recorder.Return(release, new LockOutput.Released(4));
        Expect(Verdict.Linearizable);
        Run(Acquire(1), new LockOutput.AlreadyHeld(4));
        Expect(Verdict.NotLinearizable);
    }

    [Fact]
    public void Who_is_seen_to_hold_was_granted_it_by_the_acquire_that_nobody_heard_of()
    {
        int[] unheard = [.. Enumerable.Range(10, 40).Select(session => recorder.Invoke(0, Acquire(session)))];
        Run(Look, new LockOutput.Holder(30, 7));
        Run(Release(30, 0), new LockOutput.Released(7));
        Run(Look, new LockOutput.Free());
        CheckResult result = LinearizabilityChecker.Check(new LockModel(), recorder.History());
        Assert.Equal(Verdict.Linearizable, result.Verdict);
        Assert.InRange(result.Steps, 1, unheard.Length);
    }

    private static LockInput Look => new LockInput.Look("l");

    private static LockInput.Acquire Acquire(long session) => new("l", session);

    private static LockInput.Release Release(long session, long token) => new("l", session, token);

    private void Run(LockInput input, LockOutput output) => recorder.Return(recorder.Invoke(0, input), output);

    private void Expect(Verdict verdict) =>
        Assert.Equal(verdict, LinearizabilityChecker.Check(new LockModel(), recorder.History()).Verdict);
}
