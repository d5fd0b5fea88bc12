using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica.State;

namespace Coordinator.Tests.State;

/// <summary>Rule 25: what apply does depends on the replicated level, never on the program.</summary>
public sealed class FeatureLevelTests
{
    [Fact]
    public void A_command_of_a_later_level_is_applied_as_a_program_applies_it_that_does_not_know_it()
    {
        Group known = AtLevel(FeatureLevels.First);
        Group unknown = AtLevel(FeatureLevels.First);
        Group.IsRefused(known.Apply(Check()), ErrorCode.InvalidRequest);
        // To such a program the operation is a field that it skips.
        Group.IsRefused(unknown.Apply(new Command()), ErrorCode.InvalidRequest);
        Assert.Equal(unknown.Snapshot(), known.Snapshot());
    }

    [Fact]
    public void From_its_level_on_a_command_is_applied()
    {
        Group group = AtLevel(FeatureLevels.First);
        group.Apply(Raise(FeatureLevels.StateHashInLog));
        Assert.Equal(ErrorCode.Ok, group.Apply(Check()).Result.Error);
    }

    [Fact]
    public void A_level_rises_and_never_falls_and_is_in_the_snapshot_and_in_the_hash()
    {
        Group raised = AtLevel(FeatureLevels.First);
        Group same = AtLevel(FeatureLevels.First);
        raised.Apply(Raise(FeatureLevels.StateHashInLog));
        same.Apply(Raise(FeatureLevels.First));
        Assert.Equal(FeatureLevels.StateHashInLog, raised.Copy().State.FeatureLevel);
        Assert.Equal(FeatureLevels.First, same.State.FeatureLevel);
        Assert.NotEqual(same.State.Hash, raised.State.Hash);
        Assert.NotEqual(same.State.ContentsHash(), raised.State.ContentsHash());
        raised.Apply(Raise(FeatureLevels.First));
        Assert.Equal(FeatureLevels.StateHashInLog, raised.State.FeatureLevel);
    }

    [Fact]
    public void A_check_counts_in_the_hash_with_what_it_says()
    {
        Group one = AtLevel(FeatureLevels.StateHashInLog);
        Group other = AtLevel(FeatureLevels.StateHashInLog);
        one.Apply(new Command { CheckState = new CheckState { VerifiedIndex = 1, VerifiedHash = 5 } });
        other.Apply(new Command { CheckState = new CheckState { VerifiedIndex = 1, VerifiedHash = 6 } });
        Assert.NotEqual(one.State.Hash, other.State.Hash);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public void There_is_no_level_below_the_first(int level)
    {
        Group.IsRefused(AtLevel(FeatureLevels.First).Apply(Raise(level)), ErrorCode.InvalidRequest);
        Assert.Throws<ArgumentOutOfRangeException>(() => AtLevel(level));
    }

    private static Group AtLevel(int level) => new(CoordinationState.Create(
        StateSettings.Default, Group.Membership(), 1, new Term(1), featureLevel: level));

    private static Command Raise(int level) => new() { RaiseFeatureLevel = new RaiseFeatureLevel { Level = level } };

    private static Command Check() => new() { CheckState = new CheckState() };
}
