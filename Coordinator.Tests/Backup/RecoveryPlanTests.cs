using System.Buffers;
using Coordinator.Contracts;
using Coordinator.Grains.Recovery;
using Coordinator.Grains.Storage;
using Coordinator.Raft;
using Coordinator.Replica.State;
using Coordinator.Replica.Storage;
using Coordinator.Tests.State;
using Google.Protobuf;

namespace Coordinator.Tests.Backup;

/// <summary>What a plan makes of logs, worked out by hand: groups of five peers, entries from 11 on.</summary>
public sealed class RecoveryPlanTests
{
    private const long Base = 10;
    private static readonly PeerId[] Five = [.. Enumerable.Range(1, 5).Select(id => new PeerId(id))];

    [Fact]
    public void The_longer_log_of_the_later_term_is_taken_and_its_end_is_only_perhaps_committed()
    {
        RecoveryPlan plan = Plan(Peer(1, commit: 11, 1, 1, 2), Peer(2, commit: 12, 1, 1));

        Assert.Equal((12, 13, new PeerId(1)), (plan.CertainIndex, plan.Best.LastIndex, plan.Best.Key.Peer));
        Assert.Equal([new PeerId(3), new PeerId(4), new PeerId(5)], plan.LostVoters);
        Assert.Equal((false, true), (plan.HasQuorum, plan.LostCouldCommit));
        Assert.Equal(13, plan.State.AppliedIndex);
        Assert.Equal("13", ValueOf(plan, "key"));
        Assert.Null(plan.DroppedFrom(plan.Survivors[1]));
    }

    [Fact]
    public void A_longer_log_of_an_older_term_is_dropped_from_where_it_differs()
    {
        RecoveryPlan plan = Plan(Peer(1, commit: 11, 1, 1, 1, 1), Peer(2, commit: 11, 1, 2));

        Assert.Equal(new PeerId(2), plan.Best.Key.Peer);
        Assert.Equal(12, plan.DroppedFrom(plan.Survivors[0]));
        Assert.Null(plan.DroppedFrom(plan.Best));
    }

    [Fact]
    public void A_log_of_a_later_term_that_lacks_what_is_certainly_committed_is_not_the_best()
    {
        // Raft figure 8: peer 2 led in term 3 and wrote 12 alone; the leader of term 4 committed the older 12 of term 2.
        RecoveryPlan plan = Plan(Peer(1, commit: 12, 1, 2), Peer(2, commit: 11, 1, 3, 3));

        Assert.Equal(new PeerId(1), plan.Best.Key.Peer);
        Assert.Equal(12, plan.Best.LastIndex);
        Assert.Equal(12, plan.CertainIndex);
        Assert.Equal(13, plan.DroppedFrom(plan.Survivors[1]));
    }

    [Fact]
    public void A_survivor_that_is_behind_takes_what_a_snapshot_of_another_has()
    {
        Survivor ahead = Peer(2, Base + 5, commit: Base + 5, new Term(2));
        RecoveryPlan plan = Plan(Peer(1, commit: 11, 1, 1), ahead);

        Assert.Equal((ahead, Base + 5), (plan.Best, plan.CertainIndex));
        Assert.Equal(Base + 5, plan.State.AppliedIndex);
    }

    [Fact]
    public void Of_several_groups_one_is_said_and_planned_by_itself()
    {
        Survivor first = Peer(1, commit: 11, 1, 1), other = Peer(1, commit: 11, 1);
        (int one, int two) = (first.Key.Group, first.Key.Group + 1);
        other = other with { Stored = other.Stored with { Key = new PeerKey(two, other.Key.Peer) } };
        var database = new SurvivingDatabase("db", first.ClusterId, [first, other], [new DamagedPeer("db", new PeerKey(two, new PeerId(2)), "why")]);
        RecoveryException refused = Assert.Throws<RecoveryException>(() => RecoveryPlan.Of([database]));
        Assert.Contains("--group", refused.Message, StringComparison.Ordinal);
        RecoveryPlan plan = RecoveryPlan.Of([database.OfGroup(one)]);
        Assert.Equal((one, first), (plan.Group, plan.Best));
        Assert.Empty(plan.Damaged);
        Assert.Equal(two, RecoveryPlan.Of([database.OfGroup(two)]).Group);
    }

    [Fact]
    public void A_quorum_needs_nothing_to_be_rebuilt()
    {
        RecoveryPlan plan = Plan(Peer(1, 11, 1), Peer(2, 11, 1), Peer(5, 11, 1));
        Assert.Equal((true, false), (plan.HasQuorum, plan.LostCouldCommit));
    }

    [Fact]
    public void A_peer_whose_database_went_back_in_time_is_no_part_of_a_quorum_but_its_log_may_be_the_best()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("witness-");
        try
        {
            Survivor old = Peer(5, 11, 1, 1);
            Witness(folder, old, old.Stored.WriteSeq);
            Assert.Null(Compared(old, folder).WentBack);
            Witness(folder, old, old.Stored.WriteSeq + 1);
            old = Compared(old, folder);

            RecoveryPlan plan = Plan(Peer(1, 11, 1), Peer(2, 11, 1), old);
            Assert.Equal((false, true), (plan.HasQuorum, plan.LostCouldCommit));
            Assert.Contains(new PeerId(5), plan.LostVoters);
            Assert.Same(old, plan.Best);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void A_peer_whose_storage_the_group_does_not_list_is_no_part_of_a_quorum()
    {
        Survivor replaced = Peer(5, 11, 1);
        replaced = replaced with { Stored = replaced.Stored with { StorageId = new Guid("99999999-0000-0000-0000-000000000000") } };
        RecoveryPlan plan = Plan(Peer(1, 11, 1), Peer(2, 11, 1), replaced);
        Assert.False(plan.HasQuorum);
        Assert.Contains(new PeerId(5), plan.LostVoters);
    }

    [Fact]
    public void Of_four_voters_two_lost_ones_could_commit_nothing_alone()
    {
        PeerId[] four = [.. Five.Take(4)];
        RecoveryPlan plan = Plan(Peer(1, 11, four, 1), Peer(2, 11, four, 1));
        Assert.Equal((false, false), (plan.HasQuorum, plan.LostCouldCommit));
    }

    [Fact]
    public void What_does_not_belong_together_is_refused_by_name()
    {
        Survivor one = Peer(1, 11, 1);
        Assert.Contains("different clusters", Refusal([one], [one with { ClusterId = Guid.Empty }]), StringComparison.Ordinal);
        Assert.Contains("is there twice", Refusal([one], [one]), StringComparison.Ordinal);
        Assert.Contains("hold no peer of the group", Refusal(), StringComparison.Ordinal);
        var damaged = new SurvivingDatabase("b", one.ClusterId, [], [new DamagedPeer("b", one.Key, "table log: checksum")]);
        Assert.Contains(
            "No peer is left whole. Peer 3/1 in b: table log: checksum", Assert.Throws<RecoveryException>(() => RecoveryPlan.Of([damaged])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_level_that_this_program_does_not_know_is_refused_by_name()
    {
        Survivor one = Peer(1, 11, 1);
        var raise = new Command { RaiseFeatureLevel = new RaiseFeatureLevel { Level = FeatureLevels.Known + 1 } };
        one = one with { Stored = one.Stored with { Entries = [Entry(11, 1, raise)] } };
        var refused = Assert.Throws<RecoveryException>(() => Plan(one));
        Assert.Contains("use a later one", refused.Message, StringComparison.Ordinal);
    }

    private static void Witness(DirectoryInfo folder, Survivor of, long writeSeq) =>
        new WitnessFile(folder.FullName, of.Stored.StorageId).Write(
            new StorageWitness(new StorageMark(of.Stored.StorageId, of.Stored.Epoch, writeSeq), new DatabaseMoment(1, 1, 1)));

    private static Survivor Compared(Survivor one, DirectoryInfo folder) =>
        new SurvivingDatabase(one.Source, one.ClusterId, [one], []).ComparedWith(folder.FullName).Survivors[0];

    private static RecoveryPlan Plan(params Survivor[] survivors) => RecoveryPlan.Of(
        [.. survivors.Select(one => new SurvivingDatabase(one.Source, one.ClusterId, [one], []))]);

    private static string Refusal(params Survivor[][] databases) => Assert.Throws<RecoveryException>(() => RecoveryPlan.Of(
        [.. databases.Select((survivors, i) => new SurvivingDatabase($"{i}", survivors[0].ClusterId, survivors, []))])).Message;

    private static Survivor Peer(long id, long commit, params long[] terms) => Peer(id, commit, Five, terms);

    /// <param name="terms">Of the entries from 11 on; each puts its index under one key.</param>
    private static Survivor Peer(long id, long commit, PeerId[] voters, params long[] terms)
    {
        Survivor blank = Peer(id, Base, commit, new Term(1), voters);
        Entry[] entries = [.. terms.Select((term, i) => Entry(Base + 1 + i, term, Put(Base + 1 + i)))];
        return blank with { Stored = blank.Stored with { Entries = entries } };
    }

    /// <summary>With a snapshot and no entries.</summary>
    private static Survivor Peer(long id, long index, long commit, Term term, PeerId[]? voters = null)
    {
        voters ??= Five;
        GroupMembership membership = Group.Membership() with
        {
            ConfState = new ConfState { Voters = voters },
            Peers = [.. voters.Select(voter => new PeerRecord(voter, StorageOf(voter), $"silo{voter}"))],
            NextPeerId = new PeerId(9),
        };
        var bytes = new ArrayBufferWriter<byte>();
        CoordinationState.Create(StateSettings.Default, membership, index, term).WriteSnapshot(bytes);
        var pointer = new SnapshotPointer(1, 1, index, term, 1, bytes.WrittenCount);
        return new Survivor($"db{id}", membership.ClusterId, new LoadedPeer(
            new PeerKey(membership.Group, new PeerId(id)), StorageOf(new PeerId(id)), 1, 1,
            new HardState(new Term(9), PeerId.None, commit), new StoredSnapshot(pointer, bytes.WrittenMemory), []));
    }

    private static Guid StorageOf(PeerId peer) => new((int)peer.Value, 0, 0, new byte[8]);

    private static Command Put(long index) =>
        new() { PutConfig = new PutConfig { Key = "key", Value = ByteString.CopyFromUtf8($"{index}") } };

    private static Entry Entry(long index, long term, Command command) =>
        new(new Term(term), index, EntryType.Normal, command.ToByteArray(), 0);

    private static string ValueOf(RecoveryPlan plan, string key) =>
        plan.State.Query(new Query { GetConfig = new GetConfig { Key = key } }).Entries[0].Value.ToStringUtf8();
}
