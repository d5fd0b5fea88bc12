using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Replica.Storage;

namespace Coordinator.Grains;

/// <summary>What a peer's inbox carries: a closed set.</summary>
internal abstract record PeerInput
{
    private PeerInput()
    {
    }

    internal sealed record Tick : PeerInput
    {
        public static readonly Tick Instance = new();
    }

    internal sealed record FromPeer(Envelope Envelope) : PeerInput;

    internal sealed record Execute(CommandFuture Future) : PeerInput;

    internal sealed record Ask(QueryFuture Future) : PeerInput;

    internal sealed record Save(SaveFuture Future) : PeerInput;

    internal sealed record KeepAlive(KeepAliveFuture Future) : PeerInput;

    internal sealed record Forget(CommandFuture Future) : PeerInput;

    internal sealed record Watch(WatchFuture Future) : PeerInput;

    internal sealed record ForgetWatch(WatchFuture Future) : PeerInput;

    internal sealed record WriteEnded(long Epoch, WriteOutcome Outcome) : PeerInput;

    internal sealed record EpochRead(long Asked, bool Available, long? Stored) : PeerInput;

    internal sealed record SnapshotWritten(long Epoch, long Id, bool Durable) : PeerInput;

    internal sealed record Reactivated(LoadedPeer Loaded) : PeerInput;

    internal sealed record WitnessRecorded(StorageMark Mark) : PeerInput;

    internal sealed record WentBack(string Why) : PeerInput;

    internal sealed record Halt(ServiceState State, string Why) : PeerInput;

    internal sealed record Campaign : PeerInput;

    internal sealed record LeaveElection(long ForUs) : PeerInput;

    internal sealed record TransferLeadership(PeerId To) : PeerInput;

    internal sealed record ForgetLeader(PeerId Leader) : PeerInput;

    internal sealed record Unreachable(PeerId Peer) : PeerInput;

    internal sealed record SnapshotFailed(PeerId To) : PeerInput;
}
