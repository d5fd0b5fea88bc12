using Coordinator.Client.Machine;
using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Replica.State;
using Coordinator.Replica.Storage;
using Coordinator.Simulation.Clients;
using Coordinator.Simulation.Cluster;
using Coordinator.Simulation.Engine;
using Coordinator.Simulation.Storage;

namespace Coordinator.Simulation.Invariants;

/// <summary>Something that must hold whatever happens, checked as it happens. Each overrides what it needs to see.</summary>
internal abstract class Invariant
{
    protected abstract string Name { get; }

    /// <summary>A process's activation has committed and its state is loaded.</summary>
    public virtual void Activated(PeerProcess process, LoadedPeer loaded)
    {
    }

    /// <summary>An activation of a row has committed in the database.</summary>
    public virtual void RowActivated(PeerKey key, long epoch)
    {
    }

    /// <summary>A write commits in the database.</summary>
    public virtual void Landing(SimulatedRow before, PeerWrite write)
    {
    }

    /// <summary>A message leaves a process.</summary>
    public virtual void Sending(PeerProcess process, Envelope envelope)
    {
    }

    /// <summary>An entry was applied for the first time anywhere: it is committed.</summary>
    public virtual void Committed(PeerProcess process, CommittedEntry entry)
    {
    }

    /// <summary>A command about configuration is executed; the ledger of it is as it was before.</summary>
    public virtual void Configuring(CommittedEntry entry)
    {
    }

    /// <summary>An entry grants a resource; its view is as it was before.</summary>
    public virtual void Granting(long index, Claimed claim)
    {
    }

    /// <summary>A claim has taken its place in line, or was refused it as a deadlock and stands there for this call.</summary>
    public virtual void Waits(long index, Claimed claim, bool refusedAsDeadlock)
    {
    }

    /// <summary>A wait has ended without a grant, or a holding has ended.</summary>
    public virtual void ClaimEnded(Claimed claim)
    {
    }

    /// <summary>The log ends a holding because its time is over.</summary>
    public virtual void RanOut(long index, Claimed claim)
    {
    }

    /// <summary>An entry was applied by a replica, for the first time anywhere or again.</summary>
    public virtual void Applied(PeerProcess process, CommittedEntry known, in Entry entry, in ApplyResult result, ulong hash)
    {
    }

    /// <summary>A replica's turn is over; its effects are not yet executed.</summary>
    public virtual void AfterTurn(PeerProcess process, ReplicaEffects effects)
    {
    }

    public virtual void SessionAnswered(SessionBelief session, long sentUs)
    {
    }

    /// <summary>A client sends a command to some peer, for the first time or again.</summary>
    public virtual void CommandSent(SimulatedClient client, Command command)
    {
    }

    /// <summary>A client sends a query, for the first time or again.</summary>
    public virtual void QuerySent(SimulatedClient client, Query query)
    {
    }

    /// <summary>A client concludes that a command that it has sent once will never be executed.</summary>
    public virtual void CommandNeverExecuted(Command command)
    {
    }

    /// <summary>A client is told that its session has ended.</summary>
    public virtual void SessionGone(long session)
    {
    }

    /// <summary>A client's machine has slept, and the client has looked at its clocks.</summary>
    public virtual void ClientWoke(SimulatedClient client)
    {
    }

    public virtual void CommandAnswered(SimulatedClient client, Command command, CommandAnswer answer)
    {
    }

    public virtual void ReadAnswered(SimulatedClient client, Query query, long floorIndex, QueryAnswer answer)
    {
    }

    /// <param name="floorRevision">Somebody had been told of it when the page was asked for.</param>
    public virtual void WatchAnswered(SimulatedClient client, Watch watch, long floorRevision, WatchPage page)
    {
    }

    /// <summary>The cluster has said where a library's watch from now begins.</summary>
    public virtual void WatchBegan(ConfigWatch watch, long nextRevision)
    {
    }

    /// <summary>A consumer of the library takes what its watch was told.</summary>
    public virtual void ConfigTold(ConfigWatch watch, StreamItem.Revision item)
    {
    }

    /// <inheritdoc cref="ConfigTold"/>
    public virtual void LeaderTold(ElectionWatch watch, ElectionState state)
    {
    }

    /// <summary>The cluster has ended a library's watch.</summary>
    public virtual void StreamEnded(LibraryWatch watch, Completion.StreamEnded ended)
    {
    }

    /// <summary>The library tells the program that it does not hold something any more, in a session that lives.</summary>
    public virtual void HoldingLost(LibraryClient client, Holding holding)
    {
    }

    /// <summary>The library tells the program that somebody would have it let go.</summary>
    public virtual void ReleaseAsked(LibraryClient client, Holding holding)
    {
    }

    /// <summary>Asked again and again after the healing, while clients begin nothing new.</summary>
    /// <returns>What somebody still has to be told of; null: nothing.</returns>
    public virtual string? Untold(World world) => null;

    /// <summary>After the healing somebody was not told in time of what <see cref="Untold"/> says.</summary>
    public void RequireTold(World world)
    {
        string? untold = Untold(world);
        Require(untold is null, () => untold!);
    }

    /// <summary>The cluster has been healed, has served again, and is at rest.</summary>
    public virtual void AtEnd(World world)
    {
    }

    protected void Require(bool condition, Func<string> message)
    {
        if (!condition)
            throw new InvariantViolation(Name, message());
    }
}
