using Coordinator.Raft;

namespace Coordinator.Tests.Raft;

public sealed class RaftOptionsTests
{
    private static readonly RaftOptions Good = new() { Id = new PeerId(1), Storage = new MemoryStorage() };

    public static TheoryData<string, RaftOptions> Bad() => new()
    {
        { nameof(RaftOptions.Id), Good with { Id = PeerId.None } },
        { nameof(RaftOptions.Id), Good with { Id = PeerId.LocalAppendThread } },
        { nameof(RaftOptions.Id), Good with { Id = PeerId.LocalApplyThread } },
        { nameof(RaftOptions.Storage), Good with { Storage = null! } },
        { nameof(RaftOptions.HeartbeatTicks), Good with { HeartbeatTicks = 0 } },
        { nameof(RaftOptions.ElectionTicks), Good with { ElectionTicks = 1 } },
        { nameof(RaftOptions.ElectionTicks), Good with { ElectionTicks = int.MaxValue } },
        { nameof(RaftOptions.Applied), Good with { Applied = -1 } },
        { nameof(RaftOptions.MaxMessageBytes), Good with { MaxMessageBytes = -1 } },
        { nameof(RaftOptions.MaxCommittedBytesPerReady), Good with { MaxCommittedBytesPerReady = -1 } },
        { nameof(RaftOptions.MaxUncommittedBytes), Good with { MaxUncommittedBytes = -1 } },
        { nameof(RaftOptions.MaxInflightMessages), Good with { MaxInflightMessages = 0 } },
        { nameof(RaftOptions.MaxInflightBytes), Good with { MaxInflightBytes = 5, MaxMessageBytes = 6 } },
        { nameof(RaftOptions.ReadOnlyOption), Good with { ReadOnlyOption = ReadOnlyOption.LeaseBased } },
        { nameof(RaftOptions.ApplyBeforeOwnWrite), Good with { ApplyBeforeOwnWrite = true } },
    };

    [Theory]
    [MemberData(nameof(Bad))]
    public void An_option_out_of_range_is_refused_by_name(string option, RaftOptions options)
    {
        ArgumentException refused = Assert.Throws<ArgumentException>(() => new RawNode(options));

        Assert.Equal(option, refused.ParamName);
        Assert.StartsWith(option + " = ", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(10, 8, false)]
    [InlineData(10, 9, true)]
    public void A_heartbeat_over_four_fifths_of_the_election_time_out_is_warned_of(int election, int heartbeat, bool warned)
    {
        List<string> traced = [];
        RaftOptions options = Good with { ElectionTicks = election, HeartbeatTicks = heartbeat, Trace = traced.Add };

        Assert.Equal(warned ? 1 : 0, options.Validate().Count);
        Assert.NotNull(new RawNode(options));
        Assert.Equal(warned, traced.Any(line => line.Contains("0.8", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_stored_commit_index_outside_the_log_is_fatal()
    {
        MemoryStorage storage = new();
        storage.SetHardState(new HardState(new Term(1), PeerId.None, 5));

        Assert.Throws<RaftInvariantException>(() => new RawNode(Good with { Storage = storage }));
    }

    [Fact]
    public void A_stored_term_before_that_of_the_last_entry_is_fatal()
    {
        MemoryStorage storage = new();
        storage.Append([new Entry(new Term(3), 1, EntryType.Normal, default)]);
        storage.SetHardState(new HardState(new Term(2), PeerId.None, 0));

        Assert.Throws<RaftInvariantException>(() => new RawNode(Good with { Storage = storage }));
    }

    [Fact]
    public void A_stored_membership_that_contradicts_itself_is_fatal()
    {
        ConfState both = new() { Voters = RaftGroup.Ids(1, 3), Learners = RaftGroup.Ids(3, 1) };
        ConfState staged = new() { Voters = RaftGroup.Ids(1, 3), LearnersNext = RaftGroup.Ids(3, 1) };

        Assert.Throws<RaftInvariantException>(() => new RawNode(Good with { Storage = new MemoryStorage(both) }));
        Assert.Throws<RaftInvariantException>(() => new RawNode(Good with { Storage = new MemoryStorage(staged) }));
    }
}
