using Coordinator.Simulation.Cluster;
using Coordinator.Simulation.Storage;

namespace Coordinator.Simulation.Faults;

/// <summary>
/// Databases that go back in time with nobody running who would remember. Only where a witness survives: the file beside the
/// silo, or what another voter has stored; what nobody has seen can't be found, and no rule claims so.
/// </summary>
internal sealed partial class InjectedFault
{
    private bool TryGoBack(SimulatedDatabase database)
    {
        List<SimulatedPeer> peers = world.Peers.FindAll(peer => peer.Database == database && !peer.IsRetired);
        if (peers.Count == 0 || !IsMinority(peers) || !peers.TrueForAll(IsVoter))
            return false;
        bool filesSee = peers.TrueForAll(FileSees);
        bool othersSee = peers.TrueForAll(OthersSee);
        if (!filesSee && !othersSee)
            return false;
        bool losesFile = othersSee && (!filesSee || random.Chance(0.5)) && random.Chance(0.5);
        // On the timeline that it had the database vouches for itself, unless its file is gone or has seen more.
        bool newTimeline = !filesSee || random.Chance(0.5);
        foreach (SimulatedPeer peer in peers)
        {
            world.Trace.Add($"peer {peer.Id}: its database goes back in time; {(losesFile ? "its file is lost" : $"the file: {peer.File}")}");
            peer.CrashAll();
            peer.IsLost = peer.IsOld = true;
            if (losesFile)
                peer.File = null;
        }
        // Those who know more are away, or have to remember it over a restart: then the others' word must not be enough.
        if (!filesSee || losesFile)
            peers.ForEach(peer => Hinder(peer, [.. world.Peers.Where(other => Sees(other, peer))]));
        database.Restore(newTimeline);
        return true;
    }

    private void Hinder(SimulatedPeer old, SimulatedPeer[] witnesses)
    {
        bool isCutOff = random.Chance(0.5);
        bool isRestarted = random.Chance(0.5);
        long durationUs = Scenario.Options.ElectionTimeoutUs * random.Between(1, 8);
        foreach (SimulatedPeer witness in witnesses)
        {
            if (isRestarted)
                witness.CrashAll();
            if (!isCutOff)
                continue;
            world.Network.Cut(old.Place, witness.Place, durationUs);
            world.Network.Cut(witness.Place, old.Place, durationUs);
        }
    }

    private bool IsVoter(SimulatedPeer peer) => world.IsSound(peer) && world.Invariants.Membership.ConfState.Voters.Contains(peer.Id);

    private static bool FileSees(SimulatedPeer peer) =>
        peer.Database.FindInBackup(peer.Key) is { } backup && peer.File is { } file && file.Mark.StorageId == backup.StorageId
        && (file.Mark.Epoch > backup.Epoch || file.Mark.WriteSeq > backup.WriteSeq);

    private bool OthersSee(SimulatedPeer peer) => world.Peers.Exists(other => Sees(other, peer));

    /// <summary>And has it stored, so that a restart doesn't take it.</summary>
    private bool Sees(SimulatedPeer other, SimulatedPeer peer) =>
        peer.Database.FindInBackup(peer.Key) is { } backup && other.Database != peer.Database && IsVoter(other)
        && other.Database.Find(other.Key)!.Sightings.Any(sighting =>
            sighting.Peer == peer.Id && sighting.Mark.StorageId == backup.StorageId && sighting.Mark.WriteSeq > backup.WriteSeq);
}
