using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Replica.Storage;
using Microsoft.Extensions.Logging;
using Orleans;

namespace Coordinator.Grains.Orleans;

/// <summary>
/// Carries a peer's messages to the others by grain calls. Never blocks; a message that can't be carried is lost, and a
/// snapshot that is lost is reported. Invariant: one snapshot to a peer is under way at a time.
/// </summary>
internal sealed class PeerSender(IGrainFactory grains, Func<PeerKey, PeerLoop?> local, ILogger log)
{
    // Of this process: a sender that is active elsewhere next must not be taken for the one before.
    private readonly long _sender = Random.Shared.NextInt64();
    private readonly HashSet<(PeerKey From, PeerId To)> _snapshots = [];
    private long _number;

    public void Send(Envelope envelope)
    {
        if (local(new PeerKey(envelope.Group, envelope.To)) is { } here)
            here.TryPost(envelope);
        else if (envelope.Message.Snapshot is null)
            SendOneWay(envelope);
        else if (TryBegin(envelope))
            _ = SendSnapshotAsync(envelope);
    }

    private static PeerKey FromOf(Envelope envelope) => new(envelope.Group, envelope.From);

    private IRaftPeerGrain GrainOf(Envelope envelope) =>
        grains.GetGrain<IRaftPeerGrain>(PeerPlaces.KeyOf(envelope.Group, envelope.To));

    private void SendOneWay(Envelope envelope)
    {
        try
        {
            GrainOf(envelope).ReceiveAsync(EnvelopeCodec.Encode(envelope)).Ignore();
        }
        catch (Exception e)
        {
            // The silo stops, or Orleans refuses: to Raft it is a lost message.
            OrleansLog.MessageLost(log, envelope.To.Value, e.Message);
        }
    }

    private bool TryBegin(Envelope envelope)
    {
        lock (_snapshots)
        {
            return _snapshots.Add((FromOf(envelope), envelope.To));
        }
    }

    private async Task SendSnapshotAsync(Envelope envelope)
    {
        await Task.Yield();
        bool isTaken = false;
        try
        {
            byte[][] parts = [.. PartAssembler.Split(EnvelopeCodec.Encode(envelope))];
            long number = Interlocked.Increment(ref _number);
            IRaftPeerGrain grain = GrainOf(envelope);
            isTaken = true;
            for (int part = 0; isTaken && part < parts.Length; part++)
                isTaken = await grain.ReceivePartAsync(_sender ^ envelope.From.Value, number, part, parts.Length, parts[part]);
        }
        catch (Exception e)
        {
            isTaken = false;
            OrleansLog.MessageLost(log, envelope.To.Value, e.Message);
        }
        lock (_snapshots)
        {
            _snapshots.Remove((FromOf(envelope), envelope.To));
        }
        if (!isTaken)
            local(FromOf(envelope))?.Post(new PeerInput.SnapshotFailed(envelope.To));
    }
}
