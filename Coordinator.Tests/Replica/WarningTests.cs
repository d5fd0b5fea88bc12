using Coordinator.Raft;
using Coordinator.Replica;

namespace Coordinator.Tests.Replica;

/// <summary>What a leader tells its operator.</summary>
public sealed class WarningTests
{
    // These tests' database answers nothing, which is another warning's matter.
    private static readonly ReplicaOptions Options = new() { StorageBudgetElections = 0 };

    private readonly MachineUnderTest _test = new(MachineUnderTest.ThreeVoters, Options);
    private readonly List<ReplicaWarning> _warnings = [];

    [Fact]
    public void A_leader_reports_the_follower_that_it_does_not_hear_and_not_the_other()
    {
        _test.Elect(voter: 2);
        for (long passedUs = 0; passedUs <= 5 * Options.ElectionTimeoutUs; passedUs += Options.TickUs)
            Tick(Options.TickUs, heard: 2);
        Assert.Equal(
            [new PeerId(3), new PeerId(3)],
            _warnings.Select(warning => Assert.IsType<ReplicaWarning.FollowerSilent>(warning).Peer));
    }

    [Fact]
    public void A_heartbeat_that_is_late_by_more_than_eight_tenths_of_the_election_timeout_is_reported()
    {
        _test.Elect(voter: 2);
        Tick(Options.ElectionTimeoutUs * 7 / 10, heard: 2);
        Assert.Empty(_warnings);
        Tick(Options.ElectionTimeoutUs * 9 / 10, heard: 2);
        Assert.Equal(
            new ReplicaWarning.HeartbeatLate(Options.ElectionTimeoutUs * 9 / 10, Options.ElectionTimeoutUs),
            Assert.Single(_warnings));
    }

    [Fact]
    public void A_follower_reports_nothing()
    {
        Tick(Options.ElectionTimeoutUs * 9 / 10, heard: 2);
        Assert.False(_test.Machine.IsLeader);
        Assert.Empty(_warnings);
    }

    private void Tick(long afterUs, long heard)
    {
        var answer = new Message { Type = MessageType.HeartbeatResp, From = new PeerId(heard), Term = _test.Machine.Raft.Term };
        _test.Turn(machine => machine.Receive(_test.From(answer)), afterUs);
        _warnings.AddRange(_test.Effects.Warnings);
    }
}
