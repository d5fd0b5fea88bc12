using Orleans;
using Orleans.Core;
using Orleans.Runtime;

namespace Coordinator.Client.Orleans;

/// <summary>
/// A grain that is certain to be the only one that writes: it holds a lock for as long as it is active, ends its activation
/// when the lock is lost, and stamps what it stores with the lock's fencing token. Orleans alone promises a single
/// activation only while no silo is in doubt. Invariant: an activation that has lost its lock, and doesn't know it yet,
/// overwrites nothing that a later one has stored.
/// </summary>
/// <remarks>Awaits go on in the grain's turn, as those of all grains have to. Whoever overrides <see cref="OnActivateAsync"/> or <see cref="OnDeactivateAsync"/> calls the base's.</remarks>
public abstract class FencedGrain : Grain
{
    private static readonly TimeSpan ReleasePatience = TimeSpan.FromSeconds(2);

    private LockHandle? _lock;
    private CancellationTokenRegistration _lost;

    /// <summary>Grows with each activation; to be passed along with whatever else the grain writes to.</summary>
    protected long FencingToken => Lock.FencingToken;

    /// <summary>Cancelled when the lock can no longer be counted on; the activation ends then.</summary>
    protected CancellationToken FenceLost => Lock.LostToken;

    /// <summary>The lock's name; by default the grain's id, below "grain/".</summary>
    protected virtual string FenceName => $"grain/{this.GetGrainId()}";

    /// <summary>
    /// How long an activation waits for the one before to let go, or for its session to expire; an activation that gets no
    /// lock in that time fails, and so do the calls that wait for it. Orleans gives an activation 30 s.
    /// </summary>
    protected virtual TimeSpan FencePatience => TimeSpan.FromSeconds(20);

    private LockHandle Lock => _lock ?? throw new InvalidOperationException("The grain is not active yet, or no longer.");

    /// <exception cref="LockNotAcquiredException">Another activation has the lock still.</exception>
    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        IGrainContext context = GrainContext;
        _lock = await GrainFactory.GetCoordinator().Locks.AcquireAsync(
            FenceName, new AcquireOptions { Wait = FencePatience, Label = context.Address.ToString() }, cancellationToken)
            .ConfigureAwait(true);
        _lost = _lock.LostToken.UnsafeRegister(
            _ => context.Deactivate(new DeactivationReason(
                DeactivationReasonCode.ApplicationRequested, $"The lock {FenceName} is lost.")),
            null);
        await base.OnActivateAsync(cancellationToken).ConfigureAwait(true);
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        await base.OnDeactivateAsync(reason, cancellationToken).ConfigureAwait(true);
        await _lost.DisposeAsync().ConfigureAwait(true);
        if (_lock is { } held)
        {
            // Where nobody confirms it, as in the last silo that stops, the session's end releases it.
            await held.ReleaseAsync(cancellationToken).WaitAsync(ReleasePatience, CancellationToken.None)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        }
    }

    /// <summary>Stores <paramref name="value"/>, stamped.</summary>
    /// <exception cref="FenceLostException">The lock is lost, or a later activation has written; nothing was stored.</exception>
    /// <exception cref="global::Orleans.Storage.InconsistentStateException">Another has written since this activation has read.</exception>
    protected async Task WriteAsync<T>(IStorage<FencedState<T>> state, T value)
    {
        ArgumentNullException.ThrowIfNull(state);
        ThrowIfLost();
        // The storage refuses a write over what was not read: so what was read decides, and nobody comes in between.
        if (state.State.Token > FencingToken)
        {
            DeactivateOnIdle();
            throw new FenceLostException($"{FenceName}: token {state.State.Token} has written, this activation has {FencingToken}.");
        }
        state.State.Token = FencingToken;
        state.State.Value = value;
        await state.WriteStateAsync().ConfigureAwait(true);
    }

    /// <exception cref="FenceLostException">The lock is lost.</exception>
    protected void ThrowIfLost()
    {
        if (FenceLost.IsCancellationRequested)
            throw new FenceLostException($"The lock {FenceName} is lost; the activation with token {FencingToken} ends.");
    }
}
