using Coordinator.Simulation.Linearizability;

namespace Coordinator.Tests.Linearizability;

public sealed class LinearizabilityCheckerTests
{
    private readonly ManualTime time = new();
    private readonly OperationRecorder<RegisterInput, RegisterOutput> recorder;

    public LinearizabilityCheckerTests() => recorder = new(time);

    [Fact]
    public void An_empty_history_is_linearizable() => Assert.Equal(Verdict.Linearizable, Check().Verdict);

    [Fact]
    public void A_read_after_a_write_sees_it()
    {
        Write(1);
        Read(1);
        Assert.Equal(Verdict.Linearizable, Check().Verdict);
    }

    [Fact]
    public void A_read_after_a_write_that_sees_the_value_before_is_a_violation()
    {
        Write(1);
        Write(2);
        Read(1);
        Assert.Equal(Verdict.NotLinearizable, Check().Verdict);
    }

    [Theory]
    [InlineData(null, null, true)]
    [InlineData(null, 1, true)]
    [InlineData(1, 1, true)]
    [InlineData(1, null, false)]
    public void Two_reads_during_a_write_may_see_it_but_not_go_back(int? first, int? second, bool legal)
    {
        int write = recorder.Invoke(1, new RegisterInput.Write(1));
        Read(first);
        Read(second);
        recorder.Return(write, new RegisterOutput.Written());
        Assert.Equal(legal ? Verdict.Linearizable : Verdict.NotLinearizable, Check().Verdict);
    }

    [Fact]
    public void Of_two_swaps_of_the_same_value_only_one_can_succeed()
    {
        Write(1);
        int first = recorder.Invoke(1, new RegisterInput.CompareAndSet(1, 2));
        int second = recorder.Invoke(2, new RegisterInput.CompareAndSet(1, 3));
        recorder.Return(first, new RegisterOutput.Compared(true));
        recorder.Return(second, new RegisterOutput.Compared(true));
        Assert.Equal(Verdict.NotLinearizable, Check().Verdict);
    }

    [Fact]
    public void A_write_of_unknown_outcome_may_take_effect_long_after_its_client_gave_up()
    {
        recorder.GiveUp(recorder.Invoke(1, new RegisterInput.Write(7)));
        Write(1);
        Read(1);
        Read(7);
        Assert.Equal(Verdict.Linearizable, Check().Verdict);
    }

    [Fact]
    public void A_write_of_unknown_outcome_may_never_take_effect()
    {
        Write(1);
        recorder.GiveUp(recorder.Invoke(1, new RegisterInput.Write(7)));
        Read(1);
        Assert.Equal(Verdict.Linearizable, Check().Verdict);
    }

    [Fact]
    public void A_write_of_unknown_outcome_takes_effect_once_at_most()
    {
        recorder.GiveUp(recorder.Invoke(1, new RegisterInput.Write(7)));
        Read(7);
        Write(1);
        Read(7);
        Assert.Equal(Verdict.NotLinearizable, Check().Verdict);
    }

    [Fact]
    public void Two_equal_writes_of_unknown_outcome_may_take_effect_twice()
    {
        recorder.GiveUp(recorder.Invoke(1, new RegisterInput.Write(7)));
        recorder.GiveUp(recorder.Invoke(2, new RegisterInput.Write(7)));
        Read(7);
        Write(1);
        Read(7);
        Assert.Equal(Verdict.Linearizable, Check().Verdict);
    }

    [Fact]
    public void A_write_of_unknown_outcome_takes_no_effect_before_it_was_invoked()
    {
        Read(7);
        recorder.GiveUp(recorder.Invoke(1, new RegisterInput.Write(7)));
        Assert.Equal(Verdict.NotLinearizable, Check().Verdict);
    }

    [Fact]
    public void An_operation_still_running_at_the_end_has_an_unknown_outcome()
    {
        recorder.Invoke(1, new RegisterInput.Write(7));
        Read(7);
        Assert.Equal(Verdict.Linearizable, Check().Verdict);
    }

    [Fact]
    public void A_write_that_is_said_to_have_had_no_effect_must_not_be_seen()
    {
        recorder.HadNoEffect(recorder.Invoke(1, new RegisterInput.Write(7)));
        Read(7);
        Assert.Equal(Verdict.NotLinearizable, Check().Verdict);
    }

    [Fact]
    public void Running_out_of_steps_is_undecided_and_the_budget_is_exact()
    {
        for (int i = 0; i < 5; i++)
            recorder.Invoke(i, new RegisterInput.Write(i));
        Read(1);
        Read(9);
        long needed = Check().Steps;
        Assert.Equal(Verdict.NotLinearizable, Check(needed).Verdict);
        CheckResult undecided = Check(needed - 1);
        Assert.Equal(Verdict.Undecided, undecided.Verdict);
        Assert.Single(undecided.Failing);
        Assert.StartsWith("Undecided", undecided.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_long_history_with_many_unknown_writes_takes_few_steps()
    {
        const int Rounds = 5_000;
        for (int i = 0; i < Rounds; i++)
        {
            if (i % 25 == 0)
                recorder.GiveUp(recorder.Invoke(9, new RegisterInput.Write(i)));
            int write = recorder.Invoke(1, new RegisterInput.Write(i));
            int read = recorder.Invoke(2, new RegisterInput.Read());
            recorder.Return(write, new RegisterOutput.Written());
            recorder.Return(read, new RegisterOutput.Value(i));
        }
        CheckResult result = Check();
        Assert.Equal(Verdict.Linearizable, result.Verdict);
        Assert.InRange(result.Steps, 2 * Rounds, 4 * Rounds);
    }

    [Fact]
    public void A_violation_is_reported_with_the_longest_explained_prefix_a_line_an_operation()
    {
        Write(1);
        Write(2);
        int during = recorder.Invoke(3, new RegisterInput.Write(3));
        Read(1);
        recorder.Return(during, new RegisterOutput.Written());
        Read(3);
        PartitionResult failing = Assert.Single(Check().Failing);
        Assert.Equal([0, 1], failing.Order.Select(o => o.Id));
        Assert.Equal([3, 2], failing.Stuck.Select(o => o.Id));
        Assert.Equal(
            """
            NotLinearizable: key "register", 5 operations, 5 steps
            The longest prefix that was explained, 2 operations in a legal order, with the state after each:
                  1 [         0         10] client 0   write 1: ok               | 1
                  2 [        10         20] client 0   write 2: ok               | 2
            Running at its end, and without a place; the first had to return next:
                  ✗ [        20         30] client 0   read: 1
                  ✗ [        20         30] client 3   write 3: ok
            """,
            failing.Report(10));
        Assert.Contains("… 1 earlier ones …", failing.Report(1), StringComparison.Ordinal);
    }

    [Fact]
    public void Each_key_is_checked_alone_and_the_one_that_fails_is_named()
    {
        OperationRecorder<KeyValueInput, KeyValueOutput> keys = new(time);
        keys.Return(keys.Invoke(1, new KeyValueInput.Append("a", "x")), new KeyValueOutput.Done());
        keys.Return(keys.Invoke(1, new KeyValueInput.Append("b", "y")), new KeyValueOutput.Done());
        keys.Return(keys.Invoke(1, new KeyValueInput.Get("a")), new KeyValueOutput.Value("x"));
        keys.Return(keys.Invoke(1, new KeyValueInput.Get("b")), new KeyValueOutput.Value("x"));
        CheckResult result = LinearizabilityChecker.Check(new KeyValueModel(), keys.History());
        Assert.Equal(Verdict.NotLinearizable, result.Verdict);
        Assert.Equal(["a", "b"], result.Partitions.Select(p => p.Key));
        Assert.Equal("b", Assert.Single(result.Failing).Key);
    }

    [Fact]
    public void Events_that_are_no_history_are_refused()
    {
        HistoryEvent<RegisterInput, RegisterOutput> invoked =
            new HistoryEvent<RegisterInput, RegisterOutput>.Invoked(0, 0, 1, new RegisterInput.Read());
        HistoryEvent<RegisterInput, RegisterOutput> ended =
            new HistoryEvent<RegisterInput, RegisterOutput>.GaveUp(0, 0);
        foreach (HistoryEvent<RegisterInput, RegisterOutput>[] events in
            (HistoryEvent<RegisterInput, RegisterOutput>[][])[[ended], [invoked, invoked], [invoked, ended, ended]])
        {
            Assert.Throws<FormatException>(() => LinearizabilityChecker.Check(new RegisterModel(), events));
        }
    }

    private CheckResult Check(long stepsMax = LinearizabilityChecker.StepsMaxDefault) =>
        LinearizabilityChecker.Check(new RegisterModel(), recorder.History(), stepsMax);

    private void Write(int value) => Run(new RegisterInput.Write(value), new RegisterOutput.Written());

    private void Read(int? value) => Run(new RegisterInput.Read(), new RegisterOutput.Value(value));

    private void Run(RegisterInput input, RegisterOutput output)
    {
        int operation = recorder.Invoke(0, input);
        time.Advance(10);
        recorder.Return(operation, output);
    }
}
