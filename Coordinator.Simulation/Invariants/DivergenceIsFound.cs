using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Replica.State;
using Coordinator.Simulation.Cluster;

namespace Coordinator.Simulation.Invariants;

/// <summary>
/// Replicas whose storage is whole have the same contents at each check; what a check lays down is their hash; and a
/// replica that had another one is quarantined when it applies that (rule 9).
/// </summary>
internal sealed class DivergenceIsFound : Invariant
{
    private readonly Dictionary<long, ulong> _hashes = [];
    private readonly Dictionary<PeerProcess, (long Applied, long Index, ulong Hash)> _altered = [];
    private readonly HashSet<PeerProcess> _mustGo = [];

    protected override string Name => "a divergence is found";

    public override void Applied(PeerProcess process, CommittedEntry known, in Entry entry, in ApplyResult result, ulong hash)
    {
        CheckState? check = known.Result.Error == ErrorCode.Ok ? known.Command?.CheckState : null;
        if (process.Owner.IsAltered)
            Follow(process, known.Index, check);
        else if (check is not null)
            Agree(process, known.Index, check);
    }

    public override void AfterTurn(PeerProcess process, ReplicaEffects effects) => Require(
        !_mustGo.Contains(process) || process.Machine!.Service == ServiceState.Quarantined,
        () => $"peer {process.Peer} has applied the proof that its state is not the others', and goes on");

    private void Agree(PeerProcess process, long index, CheckState check)
    {
        ulong contents = process.Machine!.State.ContentsHash();
        Require(
            _hashes.TryAdd(index, contents) || _hashes[index] == contents,
            () => $"peer {process.Peer} has other contents at {index}");
        Require(
            check.VerifiedIndex == 0 || (_hashes.TryGetValue(check.VerifiedIndex, out ulong right) && right == check.VerifiedHash),
            () => $"entry {index} lays down a wrong hash of the state at {check.VerifiedIndex}");
    }

    private void Follow(PeerProcess process, long index, CheckState? check)
    {
        // A gap: a snapshot has replaced the state, and what was remembered of the one before is gone with it.
        bool goesOn = _altered.TryGetValue(process, out (long Applied, long Index, ulong Hash) marker) && marker.Applied == index - 1;
        marker = goesOn ? marker with { Applied = index } : (index, 0, 0);
        if (check is not null)
        {
            if (check.VerifiedIndex != 0 && check.VerifiedIndex == marker.Index && check.VerifiedHash != marker.Hash)
                _mustGo.Add(process);
            marker = (index, index, process.Machine!.State.ContentsHash());
        }
        _altered[process] = marker;
    }
}
