using System.Buffers;
using System.Security.Cryptography;
using Coordinator.Contracts;
using Coordinator.Grains.Storage;
using Coordinator.Raft;
using Coordinator.Replica.State;
using Coordinator.Replica.Storage;
using Google.Protobuf;
using Microsoft.Extensions.Logging;

namespace Coordinator.Grains;

/// <summary>
/// Makes and runs a peer in this silo's own database that is about to be proposed as a member (rule 1), as the leader's
/// silo asks for it. Invariants: its storage id is random and this database's own; one nonce makes one peer, however often
/// it is asked; nothing that is stored of another peer is touched.
/// </summary>
internal sealed class PeerMaker(SiloGroup group, ILogger log)
{
    /// <summary>For the leader's silo, which is another one.</summary>
    public async Task<PeerMade> MakeForOtherAsync(MakePeer request, CancellationToken cancellationToken)
    {
        if (request.ClusterId.Length != 16 || new Guid(request.ClusterId.Span) != group.ClusterId || !group.AllRun)
            return Refused(ErrorCode.SiloUnreachable, $"Silo {group.Options.SiloId} is starting, or of another cluster.");
        if (request.Purpose is not { Nonce.Length: CommandRules.NonceBytes })
            return Refused(ErrorCode.InvalidRequest, "It doesn't say what the peer is for.");
        // Not for ever: two who both take themselves for the leader's silo may ask each other.
        if (!await group.Changing.WaitAsync(group.Options.LeaderTimeout, cancellationToken))
            return Refused(ErrorCode.PeerChangeInProgress);
        try
        {
            return await MakeAsync(new PeerId(request.PeerId), request.Purpose, cancellationToken);
        }
        finally
        {
            group.Changing.Release();
        }
    }

    /// <summary>Called by one at a time.</summary>
    /// <param name="id">The group's next; none: only what the nonce has made before is told.</param>
    public async Task<PeerMade> MakeAsync(PeerId id, PeerPurpose purpose, CancellationToken cancellationToken)
    {
        try
        {
            return await TryMakeAsync(id, purpose, cancellationToken);
        }
        catch (Exception e) when (DatabaseConnections.IsFault(e))
        {
            HostLog.PeerNotMade(log, group.KeyOf(id), e);
            return Refused(
                ErrorCode.OutcomeUnknown,
                $"The database of silo {group.Options.SiloId} cannot be used now: the peer may or may not be made. It is safe to repeat.");
        }
    }

    private async Task<PeerMade> TryMakeAsync(PeerId id, PeerPurpose purpose, CancellationToken cancellationToken)
    {
        var nonce = new Guid(purpose.Nonce.Span, bigEndian: true);
        IReadOnlyList<PeerAddition> additions =
            await group.Storage.ReadAdditionsAsync(group.Group, cancellationToken);
        if (additions.FirstOrDefault(addition => addition.Nonce == nonce) is { } known)
            return await KnownAsync(known, purpose, cancellationToken);
        if (id.IsNone)
            return new PeerMade();
        // What is cut short here is finished first, by whoever leads.
        if (group.Find(id) is { Addition: not null })
            return Refused(ErrorCode.PeerChangeInProgress);
        if (group.Others is not null && Other(purpose) is { } other)
        {
            return Refused(
                ErrorCode.PeerChangeRefused, $"Silo {group.Options.SiloId} has peer {other} of the group: it has one at most.");
        }
        return await StoreAsync(
            new PeerAddition(
                new PeerKey(group.Group, id), new Guid(RandomNumberGenerator.GetBytes(CommandRules.StorageIdBytes)), nonce,
                purpose.StaysLearner, new PeerId(purpose.Replaces)),
            cancellationToken);
    }

    private async Task<PeerMade> KnownAsync(PeerAddition known, PeerPurpose purpose, CancellationToken cancellationToken)
    {
        if (known.StaysLearner != purpose.StaysLearner || known.Replaces.Value != purpose.Replaces)
        {
            return Refused(
                ErrorCode.RequestMismatch, "The nonce was used before, with another \"learner\" or \"replaces\".");
        }
        // Stored by a try of which nobody knew how it ended.
        StoredCluster? stored = await group.Storage.ReadClusterAsync(cancellationToken);
        if (group.Find(known.Key.Peer) is null
            && stored?.Peers.Any(peer => peer.Key == known.Key && peer.StorageId == known.StorageId) == true)
            await group.RunPeerAsync(known.Key, known.StorageId, known, cancellationToken);
        return Made(known);
    }

    private async Task<PeerMade> StoreAsync(PeerAddition addition, CancellationToken cancellationToken)
    {
        var blank = new ArrayBufferWriter<byte>();
        CoordinationState.CreateBlank(group.ClusterId, group.Group).WriteSnapshot(blank);
        await PeerActivation.PrepareAsync(
            addition.Key, addition.StorageId, group.Storage, group.Options.Witness, cancellationToken);
        try
        {
            await AddAsync(
                joins => group.Storage.AddPeerAsync(
                    addition.Key, addition.StorageId, blank.WrittenMemory, addition, cancellationToken, joins),
                cancellationToken);
        }
        catch (PeerExistsException exists) when (exists.StorageId is { } storageId)
        {
            return await TakeAsync(addition with { StorageId = storageId }, cancellationToken);
        }
        await group.RunPeerAsync(addition.Key, addition.StorageId, addition, cancellationToken);
        return Made(addition);
    }

    /// <summary>
    /// Rows with an id that no member ever had: of an earlier try, cut short or of unknown outcome. If it says what it was
    /// for, it is finished as that; otherwise it is what is asked for now.
    /// </summary>
    private async Task<PeerMade> TakeAsync(PeerAddition addition, CancellationToken cancellationToken)
    {
        HostLog.PeerIsThere(log, addition.Key, addition.StorageId);
        PeerAddition? earlier = (await group.Storage.ReadAdditionsAsync(group.Group, cancellationToken))
            .FirstOrDefault(one => one.Key == addition.Key && one.StorageId == addition.StorageId);
        if (earlier is null)
            await group.Storage.WriteAdditionAsync(addition, cancellationToken);
        if (group.Find(addition.Key.Peer) is { } running)
            group.Describe(running, earlier ?? addition);
        else
            await group.RunPeerAsync(addition.Key, addition.StorageId, earlier ?? addition, cancellationToken);
        return earlier is null ? Made(addition) : Refused(ErrorCode.PeerChangeInProgress);
    }

    private Task AddAsync(Func<JoiningCluster?, Task> add, CancellationToken cancellationToken) =>
        group.Founding is { } founding ? founding.TakePartAsync(group.ClusterId, add, cancellationToken) : add(null);

    /// <summary>A peer here that stays: not one that is replaced, and none of which it is known that it has left.</summary>
    private PeerId? Other(PeerPurpose purpose)
    {
        GroupPicture picture = group.Picture();
        return group.Peers
            .Where(peer => peer.Peer.Value != purpose.Replaces && !picture.HasLeft(peer.Peer, peer.StorageId))
            .Select(peer => (PeerId?)peer.Peer)
            .FirstOrDefault();
    }

    private static PeerMade Made(PeerAddition addition) => new()
    {
        PeerId = addition.Key.Peer.Value,
        StorageId = ByteString.CopyFrom(addition.StorageId.ToByteArray()),
    };

    private static PeerMade Refused(ErrorCode code, string? message = null) =>
        new() { Error = code, Message = message ?? ErrorText.Of(code) };
}
