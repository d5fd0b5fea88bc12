using Coordinator.Contracts;
using Coordinator.Replica;
using Google.Protobuf;
using Orleans;
using Orleans.Concurrency;
using Orleans.GrainDirectory;
using Orleans.Placement;
using Orleans.Runtime;
using Orleans.Runtime.Placement;

namespace Coordinator.Grains.Orleans;

/// <summary>
/// The address of a peer: what calls it puts it into the inbox of the peer's loop, which runs beside Orleans' scheduler.
/// Invariant: nothing here waits for the peer or its database, so a slow one delays no call, and no activation.
/// </summary>
[Reentrant]
[KeepAlive]
[Immovable]
[GrainType(PeerPlaces.GrainTypeName)]
[GrainDirectory(OrleansGroups.ProviderName)]
[PeerPlacement]
internal sealed class RaftPeerGrain(OrleansGroups silo) : Grain, IRaftPeerGrain
{
    private readonly PartAssembler _parts = new();
    private OrleansGroup? _group;
    private PeerSeat? _seat;

    private PeerSeat Seat => _seat ?? throw new InvalidOperationException("The grain is not active.");

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        string text = this.GetPrimaryKeyString();
        if (PeerPlaces.ParseKey(text) is not { } key || silo.Find(key) is not { } group)
            throw new ArgumentException($"There is no peer {text}.");
        IGrainContext context = GrainContext;
        // No I/O in here: an activation has 30 s, and a database may be away for longer.
        _group = group;
        _seat = group.Sit(
            key,
            why => context.Deactivate(new DeactivationReason(DeactivationReasonCode.ApplicationRequested, why)),
            to => context.Migrate(new Dictionary<string, object> { [IPlacementDirector.PlacementHintKey] = to }));
        return Task.CompletedTask;
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) =>
        // Another activation that begins meanwhile fences this one off: the epoch keeps them apart, not this wait.
        // Null: there was no such peer.
        _seat?.DisposeAsync().AsTask().WaitAsync(cancellationToken) ?? Task.CompletedTask;

    public Task ReceiveAsync(byte[] envelope)
    {
        Take(envelope);
        return Task.CompletedTask;
    }

    public Task<bool> ReceivePartAsync(long sender, long number, int part, int parts, byte[] bytes)
    {
        if (!Seat.Runs)
            return Task.FromResult(false);
        if (_parts.Add(sender, number, part, parts, bytes) is { } whole)
            return Task.FromResult(Take(whole));
        return Task.FromResult(true);
    }

    public async Task<byte[]> AskAsync(byte[] request, CancellationToken abandoned)
    {
        ForwardedRequest parsed = ForwardedRequest.Parser.ParseFrom(request);
        // Beside the grain's scheduler: what waits here may be many, and each goes on by itself.
        ForwardedAnswer answer = await Task.Run(() => _group!.Gateway.AnswerForwardedAsync(parsed, abandoned), abandoned);
        return answer.ToByteArray();
    }

    public Task BeginAsync() => Task.CompletedTask;

    private bool Take(byte[] bytes)
    {
        if (EnvelopeCodec.Decode(bytes, out string? problem) is { } envelope
            && (problem = WrongAddress(envelope)) is null)
            return Seat.TryPost(envelope);
        _group!.Dropped(Seat.Key, problem!);
        return false;
    }

    private string? WrongAddress(Envelope envelope) =>
        envelope.Group == Seat.Key.Group && envelope.To == Seat.Key.Peer
            ? null
            : $"It is for peer {envelope.Group}/{envelope.To.Value}.";
}
