using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Simulation.Cluster;

namespace Coordinator.Simulation.Invariants;

/// <summary>A peer votes for one candidate in a term, whatever restarts and activations lie between (Raft §5.2).</summary>
internal sealed class OneVotePerTerm : Invariant
{
    private readonly Dictionary<(PeerId Peer, Term Term), PeerId> _votes = [];

    protected override string Name => "one vote per term";

    public override void Sending(PeerProcess process, Envelope envelope)
    {
        Message message = envelope.Message;
        PeerId candidate = message.Type == MessageType.Vote ? process.Peer
            : message is { Type: MessageType.VoteResp, Reject: false } ? message.To
            : PeerId.None;
        if (candidate.IsNone || _votes.TryAdd((process.Peer, message.Term), candidate))
            return;
        PeerId earlier = _votes[(process.Peer, message.Term)];
        Require(earlier == candidate, () => $"peer {process.Peer} votes for {candidate} in term {message.Term}, and did for {earlier}");
    }
}
