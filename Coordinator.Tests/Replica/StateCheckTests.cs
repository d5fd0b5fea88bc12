using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Raft.Quorum;
using Coordinator.Replica;
using Coordinator.Replica.State;

namespace Coordinator.Tests.Replica;

/// <summary>Whose state is taken for the group's, and what a replica does that has another (rule 9).</summary>
public sealed class StateCheckTests
{
    private const long Check = 100;

    private static readonly JointConfig Three = new(MajorityConfig.Create([new(1), new(2), new(3)]), MajorityConfig.Empty);
    private static readonly JointConfig Joint = Three with { Outgoing = MajorityConfig.Create([new(3), new(4), new(5)]) };

    [Theory]
    [InlineData("7 7 7", 7, false)]
    [InlineData("9 7 7", 7, false)]
    [InlineData("7 - 7", 7, false)]
    [InlineData("9 - -", 0, false)]
    [InlineData("7 - 9", 0, true)]
    [InlineData("7 8 9", 0, true)]
    [InlineData("- - -", 0, false)]
    public void Only_a_majoritys_hash_is_laid_down(string reports, ulong hash, bool disputed) =>
        IsJudged(Three, reports, hash, disputed);

    [Theory]
    [InlineData("7 7 7 7 7", 7, false)]
    [InlineData("7 7 7 9 9", 0, true)]
    [InlineData("9 7 7 7 -", 7, false)]
    [InlineData("7 7 - 7 -", 0, false)]
    public void In_a_joint_configuration_both_halves_must_have_it(string reports, ulong hash, bool disputed) =>
        IsJudged(Joint, reports, hash, disputed);

    [Fact]
    public void A_dispute_ends_with_the_next_majority()
    {
        var checks = new StateChecks(new ReplicaOptions());
        checks.Judge(Three, peer => new CheckMarker(Check, (ulong)peer.Value));
        Assert.True(checks.IsDisputed);
        checks.Judge(Three, _ => new CheckMarker(Check + 1, 7));
        Assert.False(checks.IsDisputed);
    }

    [Fact]
    public void A_leader_that_finds_itself_in_the_minority_takes_itself_out()
    {
        MachineUnderTest peer = Leader();
        CheckAgainst(peer, (index, hash) => new PeerReport(FeatureLevels.Known, index, hash ^ 1));

        Assert.Equal(ServiceState.Quarantined, peer.Machine.Service);
        Assert.Contains("Replace this peer", peer.Machine.Detail, StringComparison.Ordinal);
        Assert.True(peer.Effects.Halted);
        Assert.Empty(peer.Effects.Send);
        Assert.Null(peer.Effects.Persist);
        var read = new QueryTicket(new Query { Serializable = true, GetConfig = new GetConfig { Key = "key" } });
        peer.Turn(machine => machine.Submit(read));
        Assert.Equal(ErrorCode.Quarantined, Assert.Single(peer.Effects.Answered).Answer.Error);
    }

    [Fact]
    public void A_leader_that_agrees_goes_on()
    {
        MachineUnderTest peer = Leader();
        CheckAgainst(peer, (index, hash) => new PeerReport(FeatureLevels.Known, index, hash));
        Assert.Equal(ServiceState.Running, peer.Machine.Service);
        Assert.False(peer.Machine.GetStatus().StateDisputed);
    }

    [Fact]
    public void Where_no_majority_agrees_nobody_goes_and_the_leader_says_so()
    {
        MachineUnderTest peer = Leader();
        CheckAgainst(peer, (index, hash) => new PeerReport(FeatureLevels.Known, index, hash ^ 1), voters: [2]);
        Assert.Equal(ServiceState.Running, peer.Machine.Service);
        Assert.True(peer.Machine.GetStatus().StateDisputed);
    }

    [Fact]
    public void An_idle_group_checks_nothing()
    {
        MachineUnderTest peer = Leader();
        PutsUntilCheck(peer, 1);
        long last = peer.Machine.Raft.LastIndex;
        for (int i = 0; i < 100; i++)
        {
            peer.Turn(afterUs: 50_000);
            peer.WriteAll();
            Acknowledge(peer, 2);
        }
        Assert.Equal(last, peer.Machine.Raft.LastIndex);
    }

    private static void IsJudged(JointConfig voters, string reports, ulong hash, bool disputed)
    {
        string[] said = reports.Split(' ');
        var checks = new StateChecks(new ReplicaOptions());
        CheckState check = checks.Judge(
            voters, peer => said[peer.Value - 1] == "-" ? default : new CheckMarker(Check, ulong.Parse(said[peer.Value - 1])));
        Assert.Equal(new CheckState { VerifiedIndex = hash == 0 ? 0 : Check, VerifiedHash = hash }, check);
        Assert.Equal(disputed, checks.IsDisputed);
    }

    /// <summary>Two checks: of the first the others say what they had, the second lays down who is right.</summary>
    private static void CheckAgainst(MachineUnderTest peer, Func<long, ulong, PeerReport> report, long[]? voters = null)
    {
        PutsUntilCheck(peer, 1);
        foreach (long voter in voters ?? [2, 3])
        {
            peer.Reports[new PeerId(voter)] = report(peer.Machine.State.AppliedIndex, peer.Machine.State.ContentsHash());
            Acknowledge(peer, voter);
        }
        PutsUntilCheck(peer, 2);
    }

    private static MachineUnderTest Leader()
    {
        var peer = new MachineUnderTest(
            MachineUnderTest.ThreeVoters, new ReplicaOptions { CheckEntries = 3, CheckIntervalUs = 1 });
        peer.Elect(voter: 2);
        Commit(peer);
        return peer;
    }

    private static void PutsUntilCheck(MachineUnderTest peer, int number)
    {
        for (int i = 0; i < 3 && ChecksIn(peer) < number; i++)
        {
            peer.Turn(machine => machine.Submit(MachineUnderTest.Put("key")));
            Commit(peer);
        }
        Commit(peer);
        Assert.Equal(number, ChecksIn(peer));
    }

    private static void Commit(MachineUnderTest peer)
    {
        peer.WriteAll();
        Acknowledge(peer, 2);
    }

    private static void Acknowledge(MachineUnderTest peer, long voter) => peer.Receive(new Message
    {
        Type = MessageType.AppResp,
        From = new PeerId(voter),
        Term = peer.Machine.Raft.Term,
        Index = peer.Machine.Raft.LastIndex,
    });

    private static int ChecksIn(MachineUnderTest peer)
    {
        int checks = 0;
        foreach (Entry entry in peer.Machine.Raft.Entries(MachineUnderTest.FirstIndex, peer.Machine.Raft.LastIndex + 1))
            checks += Command.Parser.ParseFrom(entry.Data.Span).CheckState is null ? 0 : 1;
        return checks;
    }
}
