using System.Buffers;
using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Replica.State;
using Coordinator.Replica.Storage;

namespace Coordinator.Tests.Replica;

/// <summary>Peer 1's machine, fed by hand: the test plays the other peers and the database.</summary>
internal sealed class MachineUnderTest
{
    public const long FirstIndex = 11;
    public const long NextPeerId = 100;

    private static readonly PeerId Self = new(1);
    private static readonly Term FirstTerm = new(1);

    private readonly ReplicaOptions _options;
    private readonly StoredSnapshot _snapshot;
    private long _nowUs = 1;

    /// <param name="evidence">What it compares its storage with; null: nothing.</param>
    /// <param name="stored">What is stored besides what all these tests begin with.</param>
    public MachineUnderTest(
        ConfState members, ReplicaOptions? options = null, int featureLevel = FeatureLevels.Known,
        StorageEvidence? evidence = null, Func<LoadedPeer, LoadedPeer>? stored = null)
    {
        _options = options ?? new ReplicaOptions();
        PeerId[] ids = [.. members.Voters, .. members.Learners];
        var state = CoordinationState.Create(
            StateSettings.Default,
            new GroupMembership
            {
                ClusterId = Guid.Empty,
                Group = 0,
                ConfState = members,
                Peers = [.. ids.Select(id => new PeerRecord(id, StorageIdOf(id), "silo"))],
                NextPeerId = new PeerId(NextPeerId),
            },
            FirstIndex - 1,
            FirstTerm,
            featureLevel: featureLevel);
        var bytes = new ArrayBufferWriter<byte>();
        state.WriteSnapshot(bytes);
        _snapshot = new StoredSnapshot(
            new SnapshotPointer(0, 1, FirstIndex - 1, FirstTerm, 1, bytes.WrittenCount), bytes.WrittenMemory);
        LoadedPeer loaded = Loaded(1, new HardState(FirstTerm, PeerId.None, FirstIndex - 1));
        Machine = new ReplicaMachine(_options, stored?.Invoke(loaded) ?? loaded, _nowUs, evidence);
    }

    public static ConfState ThreeVoters => new() { Voters = [new(1), new(2), new(3)] };

    public ReplicaMachine Machine { get; }

    /// <summary>What each other peer says of itself in whatever it sends; those not in here know all levels.</summary>
    public Dictionary<PeerId, PeerReport> Reports { get; } = [];

    /// <summary>What left for other peers since the test last looked.</summary>
    public List<Envelope> Sent { get; } = [];

    public List<(CommandTicket Ticket, CommandAnswer Answer)> Completed { get; } = [];

    /// <summary>What the last turn gave out.</summary>
    public ReplicaEffects Effects { get; private set; } = new();

    public PeerWrite? Write { get; private set; }

    public LoadedPeer Loaded(long epoch, HardState hardState, params Entry[] entries) => new(
        new PeerKey(0, Self), StorageIdOf(Self), epoch, WriteSeq: 0, hardState, _snapshot, entries);

    public static CommandTicket Put(string key) => Ticket(new Command { PutConfig = new PutConfig { Key = key } });

    public static CommandTicket Ticket(Command command) =>
        new(command, Google.Protobuf.MessageExtensions.ToByteArray(command));

    /// <summary>One turn, some time after the last.</summary>
    public void Turn(Action<ReplicaMachine>? input = null, long afterUs = 1)
    {
        Machine.BeginTurn(_nowUs += afterUs);
        input?.Invoke(Machine);
        Take(Machine.EndTurn());
    }

    public void Take(ReplicaEffects effects)
    {
        Effects = effects;
        Sent.AddRange(effects.Send);
        Completed.AddRange(effects.Completed);
        Write = effects.Persist ?? Write;
    }

    /// <summary>For who ends the write under way by itself; null: there is none.</summary>
    public PeerWrite? TakeWrite()
    {
        PeerWrite? write = Write;
        Write = null;
        return write;
    }

    /// <summary>Ends the write under way, if there is one, and those that follow from it.</summary>
    public void WriteAll()
    {
        while (Write is { } write)
        {
            Write = null;
            Turn(machine => machine.WriteEnded(write.Epoch, WriteOutcome.Committed));
        }
    }

    /// <summary>The write's fate is open; the database then holds what <paramref name="loaded"/> says.</summary>
    public void LoseWrite(LoadedPeer loaded)
    {
        long epoch = Write!.Epoch;
        Write = null;
        Turn(machine => machine.WriteEnded(epoch, WriteOutcome.Unknown));
        Turn(machine => machine.Reactivated(loaded));
    }

    public void Receive(Message message, bool atRest = false)
    {
        Turn(machine => machine.Receive(From(message) with { AtRest = atRest }));
    }

    public Envelope From(Message message) => new(
        0, message.From, StorageIdOf(message.From), 1, Self, Machine.GetStatus().Epoch,
        ReportOf(message.From), message with { To = Self });

    /// <summary>Makes it the leader by the votes of <paramref name="voter"/>; 0: its own is enough.</summary>
    public void Elect(long voter)
    {
        Turn(machine => machine.Campaign());
        WriteAll();
        if (voter != 0)
        {
            Answer(voter, MessageType.PreVoteResp, Machine.Raft.Term.Next);
            WriteAll();
            Answer(voter, MessageType.VoteResp, Machine.Raft.Term);
        }
        Assert.True(Machine.IsLeader);
    }

    private PeerReport ReportOf(PeerId peer) => Reports.GetValueOrDefault(peer) ?? new PeerReport(FeatureLevels.Known, 0, 0);

    private void Answer(long voter, MessageType type, Term term) =>
        Receive(new Message { Type = type, From = new PeerId(voter), Term = term });

    public static Guid StorageIdOf(PeerId peer) => new((int)peer.Value, 0, 0, new byte[8]);
}
