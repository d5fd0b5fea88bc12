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
/// Makes and runs a peer in one place that is about to be proposed as a member (rule 1), as the leader's silo asks for it.
/// Invariants: its storage id is random and this database's own; one nonce makes one peer, however often it is asked; nothing
/// that is stored of another peer is touched.
/// </summary>
internal sealed class PeerMaker(IPeerPlace place, ILogger log)
{
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
            HostLog.PeerNotMade(log, new PeerKey(place.Group, id), e);
            return Refused(
                ErrorCode.OutcomeUnknown,
                $"The database cannot be used now: {place.Title}. The peer may or may not be made. It is safe to repeat.");
        }
    }

    private async Task<PeerMade> TryMakeAsync(PeerId id, PeerPurpose purpose, CancellationToken cancellationToken)
    {
        var nonce = new Guid(purpose.Nonce.Span, bigEndian: true);
        IReadOnlyList<PeerAddition> additions =
            await place.Storage.ReadAdditionsAsync(place.Group, cancellationToken);
        if (additions.FirstOrDefault(addition => addition.Nonce == nonce) is { } known)
            return await KnownAsync(known, purpose, cancellationToken);
        if (id.IsNone)
            return new PeerMade();
        // What is cut short here is finished first, by whoever leads.
        if (place.IsMade(id))
            return Refused(ErrorCode.PeerChangeInProgress);
        if (place.Other(purpose) is { } other)
            return Refused(ErrorCode.PeerChangeRefused, $"{place.Title} has peer {other} of the group: it has one at most.");
        return await StoreAsync(
            new PeerAddition(
                new PeerKey(place.Group, id), new Guid(RandomNumberGenerator.GetBytes(CommandRules.StorageIdBytes)), nonce,
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
        if (await place.Storage.FindPeerAsync(known.Key, cancellationToken) == known.StorageId)
            await place.RunAsync(known, cancellationToken);
        return Made(known);
    }

    private async Task<PeerMade> StoreAsync(PeerAddition addition, CancellationToken cancellationToken)
    {
        var blank = new ArrayBufferWriter<byte>();
        CoordinationState.CreateBlank(place.ClusterId, place.Group).WriteSnapshot(blank);
        await place.PrepareAsync(addition.StorageId, cancellationToken);
        try
        {
            await place.AddAsync(
                joins => place.Storage.AddPeerAsync(
                    addition.Key, addition.StorageId, blank.WrittenMemory, addition, cancellationToken, joins),
                cancellationToken);
        }
        catch (PeerExistsException exists) when (exists.StorageId is { } storageId)
        {
            return await TakeAsync(addition with { StorageId = storageId }, cancellationToken);
        }
        await place.RunAsync(addition, cancellationToken);
        return Made(addition);
    }

    /// <summary>
    /// Rows with an id that no member ever had: of an earlier try, cut short or of unknown outcome. If it says what it was
    /// for, it is finished as that; otherwise it is what is asked for now.
    /// </summary>
    private async Task<PeerMade> TakeAsync(PeerAddition addition, CancellationToken cancellationToken)
    {
        HostLog.PeerIsThere(log, addition.Key, addition.StorageId);
        PeerAddition? earlier = (await place.Storage.ReadAdditionsAsync(place.Group, cancellationToken))
            .FirstOrDefault(one => one.Key == addition.Key && one.StorageId == addition.StorageId);
        if (earlier is null)
            await place.Storage.WriteAdditionAsync(addition, cancellationToken);
        await place.RunAsync(earlier ?? addition, cancellationToken);
        return earlier is null ? Made(addition) : Refused(ErrorCode.PeerChangeInProgress);
    }

    private static PeerMade Made(PeerAddition addition) => new()
    {
        PeerId = addition.Key.Peer.Value,
        StorageId = ByteString.CopyFrom(addition.StorageId.ToByteArray()),
    };

    internal static PeerMade Refused(ErrorCode code, string? message = null) =>
        new() { Error = code, Message = message ?? ErrorText.Of(code) };
}
