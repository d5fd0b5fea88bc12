using Coordinator.Simulation.Linearizability;

namespace Coordinator.Tests.Linearizability;

public sealed class ConfigModelTests
{
    private readonly OperationRecorder<ConfigInput, ConfigOutput> recorder = new(new ManualTime());

    private static ConfigInput Get => new ConfigInput.Get("k");

    private static ConfigInput Delete => new ConfigInput.Delete("k");

    private static ConfigInput.Transact PutOrDelete(string expected, string value) => new ConfigInput.Transact(
        "k", new ConfigExpectation.ValueIs(expected), new ConfigAction.Put(value), new ConfigAction.Delete());

    [Fact]
    public void A_life_of_a_key_is_linearizable()
    {
        Run(Get, new ConfigOutput.NotFound());
        Run(Put("a"), new ConfigOutput.Stored(1, 5));
        Run(Get, new ConfigOutput.Found("a", 1, 5));
        Run(PutIf(new ConfigExpectation.VersionIs(1), "b"), new ConfigOutput.Stored(2, 7));
        Run(PutIf(new ConfigExpectation.ValueIs("a"), "c"), new ConfigOutput.Differed());
        Run(Delete, new ConfigOutput.Deleted(8));
        Run(Delete, new ConfigOutput.NotFound());
        Run(PutIf(new ConfigExpectation.RevisionIs(0), "d"), new ConfigOutput.Stored(1, 9));
        Expect(Verdict.Linearizable);
    }

    [Fact]
    public void A_stale_read_is_a_violation()
    {
        Run(Put("a"), new ConfigOutput.Stored(1, 1));
        Run(Put("b"), new ConfigOutput.Stored(2, 2));
        Run(Get, new ConfigOutput.Found("a", 1, 1));
        Expect(Verdict.NotLinearizable);
    }

    [Theory]
    [InlineData(1, 6)]
    [InlineData(3, 6)]
    [InlineData(2, 5)]
    [InlineData(2, 4)]
    public void A_put_that_repeats_or_skips_a_version_or_lowers_the_revision_is_a_violation(long version, long revision)
    {
        Run(Put("a"), new ConfigOutput.Stored(1, 5));
        Run(Put("b"), new ConfigOutput.Stored(version, revision));
        Expect(Verdict.NotLinearizable);
    }

    [Fact]
    public void A_put_lost_after_its_answer_is_a_violation()
    {
        Run(Put("a"), new ConfigOutput.Stored(1, 1));
        Run(Get, new ConfigOutput.NotFound());
        Expect(Verdict.NotLinearizable);
    }

    [Fact]
    public void Two_conditional_puts_on_one_version_cannot_both_succeed()
    {
        Run(Put("a"), new ConfigOutput.Stored(1, 1));
        int first = recorder.Invoke(1, PutIf(new ConfigExpectation.VersionIs(1), "b"));
        int second = recorder.Invoke(2, PutIf(new ConfigExpectation.VersionIs(1), "c"));
        recorder.Return(first, new ConfigOutput.Stored(2, 2));
        recorder.Return(second, new ConfigOutput.Stored(3, 3));
        Expect(Verdict.NotLinearizable);
    }

    [Fact]
    public void A_conditional_delete_and_a_put_on_one_version_cannot_both_succeed()
    {
        Run(Put("a"), new ConfigOutput.Stored(1, 1));
        int first = recorder.Invoke(1, new ConfigInput.CompareAndDelete("k", new ConfigExpectation.VersionIs(1)));
        int second = recorder.Invoke(2, PutIf(new ConfigExpectation.RevisionIs(1), "c"));
        recorder.Return(first, new ConfigOutput.Deleted(2));
        recorder.Return(second, new ConfigOutput.Stored(2, 3));
        Expect(Verdict.NotLinearizable);
    }

    [Theory]
    [InlineData(true, 2, true)]
    [InlineData(false, 2, false)]
    [InlineData(true, 1, false)]
    public void A_transaction_does_the_branch_that_its_compare_decides_in_a_revision_of_its_own(
        bool isThen, long revision, bool isLinearizable)
    {
        Run(Put("a"), new ConfigOutput.Stored(1, 1));
        Run(PutOrDelete("a", "b"), new ConfigOutput.Transacted(isThen, revision, Told: null));
        Expect(isLinearizable ? Verdict.Linearizable : Verdict.NotLinearizable);
    }

    [Fact]
    public void Two_transactions_cannot_both_have_found_the_same_value()
    {
        Run(Put("a"), new ConfigOutput.Stored(1, 1));
        int first = recorder.Invoke(1, PutOrDelete("a", "b"));
        int second = recorder.Invoke(2, PutOrDelete("a", "c"));
        recorder.Return(first, new ConfigOutput.Transacted(true, 2, new ConfigOutput.Stored(2, 2)));
        recorder.Return(second, new ConfigOutput.Transacted(true, 3, new ConfigOutput.Stored(3, 3)));
        Expect(Verdict.NotLinearizable);
    }

    [Fact]
    public void A_transaction_that_did_one_branch_has_not_done_the_other()
    {
        Run(Put("a"), new ConfigOutput.Stored(1, 1));
        Run(PutOrDelete("b", "c"), new ConfigOutput.Transacted(false, 2, new ConfigOutput.Deleted(2)));
        Run(Get, new ConfigOutput.Found("c", 2, 2));
        Expect(Verdict.NotLinearizable);
    }

    [Fact]
    public void A_read_tells_what_became_of_a_transaction_that_nobody_heard_of()
    {
        Run(Put("a"), new ConfigOutput.Stored(1, 5));
        recorder.GiveUp(recorder.Invoke(1, PutOrDelete("a", "b")));
        Run(Get, new ConfigOutput.Found("b", 2, 9));
        Run(PutOrDelete("a", "c"), new ConfigOutput.Transacted(true, 10, Told: null));
        Expect(Verdict.NotLinearizable);
    }

    [Fact]
    public void A_branch_that_changes_nothing_may_name_a_revision_of_other_keys()
    {
        Run(Put("a"), new ConfigOutput.Stored(1, 5));
        var look = new ConfigInput.Transact("k", new ConfigExpectation.VersionIs(1), new ConfigAction.Get(), Else: null);
        Run(look, new ConfigOutput.Transacted(true, 8, new ConfigOutput.Found("a", 1, 5)));
        Run(Get, new ConfigOutput.Found("a", 1, 5));
        Run(Put("b"), new ConfigOutput.Stored(2, 9));
        Expect(Verdict.Linearizable);
    }

    [Fact]
    public void A_put_of_unknown_outcome_counts_its_version_and_a_read_tells_its_revision()
    {
        Run(Put("a"), new ConfigOutput.Stored(1, 5));
        recorder.GiveUp(recorder.Invoke(1, Put("b")));
        Run(Get, new ConfigOutput.Found("b", 2, 9));
        Run(Put("c"), new ConfigOutput.Stored(3, 10));
        Expect(Verdict.Linearizable);
    }

    [Fact]
    public void A_revision_once_told_does_not_change()
    {
        recorder.GiveUp(recorder.Invoke(1, Put("b")));
        Run(Get, new ConfigOutput.Found("b", 1, 9));
        Run(Get, new ConfigOutput.Found("b", 1, 8));
        Expect(Verdict.NotLinearizable);
    }

    [Fact]
    public void A_put_applied_twice_is_a_violation()
    {
        recorder.GiveUp(recorder.Invoke(1, Put("b")));
        Run(Get, new ConfigOutput.Found("b", 2, 9));
        Expect(Verdict.NotLinearizable);
    }

    [Theory]
    [InlineData(4, 5, true)]
    [InlineData(4, 4, false)]
    public void A_condition_that_held_tells_a_revision_that_nobody_heard(long told, long next, bool legal)
    {
        recorder.GiveUp(recorder.Invoke(1, Put("b")));
        Run(PutIf(new ConfigExpectation.RevisionIs(told), "c"), new ConfigOutput.Stored(2, next));
        Expect(legal ? Verdict.Linearizable : Verdict.NotLinearizable);
    }

    [Fact]
    public void A_read_tells_what_became_of_the_one_put_of_its_value()
    {
        Run(Put("a"), new ConfigOutput.Stored(1, 1));
        for (int i = 0; i < 40; i++)
            recorder.GiveUp(recorder.Invoke(1, Put($"b{i}")));
        Run(Get, new ConfigOutput.Found("b20", 3, 9));
        Run(Put("c"), new ConfigOutput.Stored(4, 10));
        CheckResult result = LinearizabilityChecker.Check(new ConfigModel(), recorder.History());
        Assert.Equal(Verdict.Linearizable, result.Verdict);
        Assert.InRange(result.Steps, 1, 100);
    }

    [Fact]
    public void A_put_that_a_read_has_told_of_happened_before_the_read_returned()
    {
        recorder.GiveUp(recorder.Invoke(1, Put("a")));
        Run(Get, new ConfigOutput.Found("a", 1, 1));
        Run(Put("b"), new ConfigOutput.Stored(2, 2));
        Run(Get, new ConfigOutput.Found("a", 3, 3));
        Expect(Verdict.NotLinearizable);
    }

    [Fact]
    public void A_value_that_looks_like_the_stand_in_for_unread_ones_is_a_value()
    {
        Run(Put("…"), new ConfigOutput.Stored(1, 1));
        Run(Get, new ConfigOutput.Found("…", 1, 1));
        recorder.GiveUp(recorder.Invoke(1, Put("a")));
        Run(Get, new ConfigOutput.Found("…", 2, 2));
        Expect(Verdict.NotLinearizable);
    }

    private static ConfigInput.Put Put(string value) => new("k", value);

    private static ConfigInput.CompareAndSet PutIf(ConfigExpectation expected, string value) =>
        new("k", expected, value);

    private void Run(ConfigInput input, ConfigOutput output) => recorder.Return(recorder.Invoke(0, input), output);

    private void Expect(Verdict verdict) =>
        Assert.Equal(verdict, LinearizabilityChecker.Check(new ConfigModel(), recorder.History()).Verdict);
}
