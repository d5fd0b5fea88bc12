using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica.State;
using Coordinator.Simulation.Clients;
using Coordinator.Simulation.Engine;
using Google.Protobuf;

namespace Coordinator.Simulation.Cluster;

/// <summary>
/// Who runs the cluster: adds, promotes, demotes, removes and replaces peers. Invariant: one change at a time, repeated
/// until it is known what became of it; none that leaves a majority of voters whose storage is lost.
/// </summary>
internal sealed class Operator(World world, Prng random)
{
    /// <summary>Without an answer by then, whoever was asked is gone.</summary>
    private const long PatienceUs = 15_000_000;

    private readonly List<SimulatedPeer> _leaving = [];
    private PeerPlan? _plan;
    private bool _mayHaveHappened;
    private bool _isSettling;
    private int _tries;
    private int _changesLeft;

    /// <summary>No change is under way, a quorum knows of the last one, and whoever it removed has been switched off.</summary>
    public bool IsIdle => _plan is null && !_isSettling;

    private GroupMembership Membership => world.Invariants.Membership;

    /// <summary>A few changes, one after the other.</summary>
    public void Begin()
    {
        if (!IsIdle)
            return;
        _changesLeft = random.Below(6);
        Change();
    }

    /// <summary>No change after the one that is under way.</summary>
    public void Stop() => _changesLeft = 0;

    private void Change()
    {
        // Whoever leaves takes along what it has seen of the others' storage.
        if (!IsIdle || Membership.ConfState.VotersOutgoing.Count > 0 || world.Peers.Exists(peer => peer is { IsOld: true, IsFound: false }))
            return;
        _plan = PeerPlan.Draw(world, random);
        if (_plan is null)
            return;
        world.Trace.Add($"operator: {_plan.Change}");
        _tries = 0;
        _mayHaveHappened = false;
        if (_plan.Added is { } record)
            WorldBuilder.AddPeer(world, random, record).Start();
        Ask();
    }

    private void Ask()
    {
        _tries++;
        PeerProcess? leader = world.Peers.SelectMany(peer => peer.Processes).FirstOrDefault(process => process.IsLeader);
        if (leader is null)
        {
            AskLater();
            return;
        }
        int attempt = _tries;
        var command = new Command { ChangePeers = _plan!.Change };
        leader.Submit(new ClientCommandTicket(command, command.ToByteArray(), (_, answer) =>
        {
            if (_plan is not null && attempt == _tries)
                Answered(answer);
        }));
        world.Events.After(PatienceUs, () =>
        {
            if (_plan is null || attempt != _tries)
                return;
            _mayHaveHappened = true;
            Ask();
        });
    }

    private void AskLater()
    {
        int attempt = _tries;
        world.Events.After(random.Between(50_000, 1_000_000), () =>
        {
            if (_plan is not null && attempt == _tries)
                Ask();
        });
    }

    private void Answered(CommandAnswer answer)
    {
        world.Trace.Add($"operator: {answer.Result.Error} {answer.Message}");
        switch (answer.Result.Error)
        {
            case ErrorCode.Ok:
                Done();
                return;
            case ErrorCode.PeerChangeRefused or ErrorCode.PeerNotFound or ErrorCode.InvalidRequest:
                throw new InvariantViolation("no refusal without a reason", $"{_plan!.Change} at {Membership.ConfState}: {answer.Message}");
            case ErrorCode.OutcomeUnknown:
                _mayHaveHappened = true;
                break;
            case ErrorCode.PeerNotCaughtUp or ErrorCode.QuorumAtRisk or ErrorCode.PeerChangeInProgress:
                world.Happenings.Count(Happening.PeerChangePutOff);
                break;
        }
        if (!_mayHaveHappened && _tries > 6)
            GiveUp();
        else
            AskLater();
    }

    private void Next()
    {
        if (_changesLeft-- > 0)
            world.Events.After(random.Skewed(10_000, 3_000_000), Change);
    }

    /// <summary>It has certainly not happened.</summary>
    private void GiveUp()
    {
        if (_plan!.Added is { } record)
            Retire(world.PeerOf(record.Id)!);
        _plan = null;
        Next();
    }

    private void Done()
    {
        world.Happenings.Count(_plan!.Kind);
        if (_plan.Leaving.Exists(id => world.PeerOf(id)!.IsLost))
            world.Happenings.Count(Happening.LostPeerReplaced);
        _leaving.AddRange(_plan.Leaving.Select(id => world.PeerOf(id)!));
        _plan = null;
        _isSettling = true;
        Settle();
    }

    /// <summary>
    /// A voter that has left, or votes no longer, may still be needed by voters that would not know so after a restart:
    /// only when a quorum of the new ones has it in storage that the change is committed can the old one be spared.
    /// </summary>
    private void Settle()
    {
        ConfState now = Membership.ConfState;
        bool hasLeft = now.VotersOutgoing.Count == 0 && !_leaving.Exists(peer => now.Contains(peer.Id));
        int know = now.Voters.Count(id => Knows(world.PeerOf(id)!));
        if (!world.Bug.RetiresAtOnce && (!hasLeft || know <= now.Voters.Count / 2))
        {
            world.Events.After(200_000, Settle);
            return;
        }
        _leaving.ForEach(Retire);
        _leaving.Clear();
        _isSettling = false;
        Next();
    }

    private bool Knows(SimulatedPeer peer) => !peer.IsLost && peer.Database.Find(peer.Key) is { } row
        && Math.Max(row.HardState.Commit, row.Pointer.Index) >= world.Invariants.MembershipIndex;

    private void Retire(SimulatedPeer peer)
    {
        world.Trace.Add($"operator: peer {peer.Id} is retired");
        peer.IsRetired = true;
        peer.CrashAll();
        peer.Database.Remove(peer.Key);
    }
}
