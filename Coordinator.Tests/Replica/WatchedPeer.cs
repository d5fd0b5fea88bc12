using System.Buffers;
using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Replica.State;
using Google.Protobuf;

namespace Coordinator.Tests.Replica;

/// <summary>
/// A follower whose watches are tested. The group goes on without it: what the group has committed reaches it when the
/// test says so, as entries or as a snapshot.
/// </summary>
internal sealed class WatchedPeer
{
    private static readonly PeerId Leader = new(3);

    private readonly List<Entry> _unsent = [];
    private readonly ApplyEffects _effects = new();
    private readonly MachineUnderTest _peer;
    private (long Index, Term Term) _sent;

    public WatchedPeer(ReplicaOptions? options = null)
    {
        _peer = new MachineUnderTest(MachineUnderTest.ThreeVoters, options);
        var bytes = new ArrayBufferWriter<byte>();
        _peer.Machine.State.WriteSnapshot(bytes);
        Group = CoordinationState.ReadSnapshot(bytes.WrittenMemory);
        _sent = (Group.AppliedIndex, Group.AppliedTerm);
        HearLeader();
    }

    /// <summary>The state of those who have everything.</summary>
    public CoordinationState Group { get; }

    public MachineUnderTest Peer => _peer;

    public ReplicaMachine Machine => _peer.Machine;

    private Term Term => _peer.Machine.Raft.Term;

    /// <summary>All pages so far, in the order in which they came out.</summary>
    public List<(WatchTicket Ticket, WatchPage Page)> Pages { get; } = [];

    public static Watch Key(string key, long from) => new() { Config = new WatchConfig { Key = key, FromRevision = from } };

    public static Watch Prefix(string prefix, long from) =>
        new() { Config = new WatchConfig { Key = prefix, IsPrefix = true, FromRevision = from } };

    /// <summary>The group commits it; the peer has not heard of it yet.</summary>
    public ApplyResult Commit(Command command, long stampUs = 0)
    {
        _effects.Clear();
        var entry = new Entry(Term, Group.AppliedIndex + 1, EntryType.Normal, command.ToByteArray(), stampUs);
        ApplyResult result = Group.Apply(entry.Index, entry.Term, stampUs, command, _effects);
        _unsent.Add(entry);
        return result;
    }

    public ApplyResult Put(string key, string value = "") => Commit(
        new Command { PutConfig = new PutConfig { Key = key, Value = ByteString.CopyFromUtf8(value) } });

    public long CreateSession() =>
        Commit(new Command { CreateSession = new CreateSession { TtlUs = 10_000_000 } }).Result.SessionId;

    /// <summary>It receives and applies, in one turn, all that was committed since the last time.</summary>
    public void CatchUp()
    {
        Turn(machine => machine.Receive(_peer.From(new Message
        {
            Type = MessageType.App,
            From = Leader,
            Term = Term,
            Index = _sent.Index,
            LogTerm = _sent.Term,
            Entries = [.. _unsent],
            Commit = Group.AppliedIndex,
        })));
        Sent();
        WriteAll();
    }

    /// <summary>As <see cref="CatchUp"/>, by a snapshot of the group's state.</summary>
    public void Install()
    {
        var bytes = new ArrayBufferWriter<byte>();
        Group.WriteSnapshot(bytes);
        Turn(machine => machine.Receive(_peer.From(new Message
        {
            Type = MessageType.Snap,
            From = Leader,
            Term = Term,
            Snapshot = new Snapshot(Group.AppliedIndex, Group.AppliedTerm, Group.Membership.ConfState, bytes.WrittenMemory),
        })));
        Sent();
        WriteAll();
        Assert.Equal(Group.AppliedIndex, Machine.State.AppliedIndex);
    }

    public WatchTicket Submit(Watch watch)
    {
        var ticket = new WatchTicket(watch);
        Turn(machine => machine.Submit(ticket));
        return ticket;
    }

    /// <summary>The page of one that has been answered.</summary>
    public WatchPage PageOf(WatchTicket ticket) => Assert.Single(Pages, page => page.Ticket == ticket).Page;

    public bool Waits(WatchTicket ticket) => Pages.All(page => page.Ticket != ticket);

    /// <summary>The leader confirms the read round under way at what the group has.</summary>
    public void ConfirmRound()
    {
        Message asked = _peer.Sent.Last(sent => sent.Message.Type == MessageType.ReadIndex).Message;
        Turn(machine => machine.Receive(_peer.From(new Message
        {
            Type = MessageType.ReadIndexResp,
            From = Leader,
            Term = Term,
            Index = Group.AppliedIndex,
            Context = asked.Context,
        })));
    }

    public void HearLeader() => Turn(machine => machine.Receive(_peer.From(
        new Message { Type = MessageType.Heartbeat, From = Leader, Term = Term })));

    public void Turn(Action<ReplicaMachine>? input = null, long afterUs = 1)
    {
        _peer.Turn(input, afterUs);
        Pages.AddRange(_peer.Effects.WatchesAnswered);
    }

    private void Sent()
    {
        _unsent.Clear();
        _sent = (Group.AppliedIndex, Group.AppliedTerm);
    }

    private void WriteAll()
    {
        while (_peer.Effects.WriteSnapshot is not null || _peer.Write is not null)
        {
            if (_peer.Effects.WriteSnapshot is { } snapshot)
                Turn(machine => machine.SnapshotWritten(snapshot.Epoch, snapshot.Id, durable: true));
            if (_peer.TakeWrite() is { } write)
                Turn(machine => machine.WriteEnded(write.Epoch, Coordinator.Replica.Storage.WriteOutcome.Committed));
        }
    }
}
