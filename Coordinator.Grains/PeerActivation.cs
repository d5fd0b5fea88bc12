using System.Security.Cryptography;
using Coordinator.Grains.Storage;
using Coordinator.Replica;
using Coordinator.Replica.Storage;
using Microsoft.Extensions.Logging;

namespace Coordinator.Grains;

/// <summary>How every host takes a stored peer over, and begins to run it.</summary>
internal static class PeerActivation
{
    private static readonly TimeSpan Retry = TimeSpan.FromMilliseconds(250);

    /// <param name="limit">How long to wait for a database that is not ready.</param>
    /// <exception cref="GroupStartException">The peer cannot be activated; the message says why.</exception>
    public static async Task<ActivatedPeer> ActivateAsync(
        PeerKey key, Guid storageId, PeerDatabase database, WitnessOptions options, string owner, TimeSpan limit,
        TimeProvider time, ILogger log, CancellationToken cancellationToken)
    {
        // Before the activation: what it says then is of earlier ones.
        IWitness? witness = options.Of(key, storageId);
        var evidence = new StorageEvidence(await ReadAsync(key, witness, log, cancellationToken))
        {
            IsTrusted = options.TrustStorage,
            IsShared = options.IsShared,
        };
        long startedAt = time.GetTimestamp();
        while (true)
        {
            switch (await database.ActivateAsync(key, owner, cancellationToken))
            {
                case ActivationResult.Activated activated:
                    // What an operator overrules must not stand against what this activation is about to say.
                    if (options.TrustStorage)
                        await ForgetAsync(key, storageId, options, log, cancellationToken);
                    return new ActivatedPeer(activated.Peer, evidence, witness);
                case ActivationResult.Unavailable unavailable when time.GetElapsedTime(startedAt) < limit:
                    HostLog.ReactivationWaits(log, key.ToString(), unavailable.Reason.Message);
                    await Task.Delay(Retry, time, cancellationToken);
                    break;
                case ActivationResult.Missing:
                    throw new GroupStartException($"Peer {key} is not in its database.");
                case var refused:
                    throw new GroupStartException($"Peer {key} cannot be activated: {refused}");
            }
        }
    }

    /// <summary>
    /// Before a peer's rows are made: from then on its witness vouches for them, so that the peer needs no word of silos that
    /// are yet to take their part. One that is there already stays: it knows of earlier rows.
    /// </summary>
    public static async Task PrepareAsync(
        PeerKey key, Guid storageId, PeerDatabase database, WitnessOptions options, CancellationToken cancellationToken)
    {
        if (options.Of(key, storageId) is { } witness)
            await witness.PrepareAsync(await database.ReadMomentAsync(cancellationToken), cancellationToken);
    }

    /// <summary>After a peer's rows are gone: what is left of its witness would cost space, no more.</summary>
    public static async Task ForgetAsync(
        PeerKey key, Guid storageId, WitnessOptions options, ILogger log, CancellationToken cancellationToken)
    {
        try
        {
            if (options.Of(key, storageId) is { } witness)
                await witness.DeleteAsync(cancellationToken);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            HostLog.WitnessKept(log, storageId, problem);
        }
    }

    /// <summary>A damaged witness is as good as none: then all other voters are asked.</summary>
    private static async Task<StorageWitness?> ReadAsync(
        PeerKey key, IWitness? witness, ILogger log, CancellationToken cancellationToken)
    {
        if (witness is null)
            return null;
        try
        {
            return await witness.ReadAsync(cancellationToken);
        }
        catch (Exception problem) when (problem is CorruptRowException or IOException or UnauthorizedAccessException)
        {
            HostLog.WitnessNotRead(log, key.ToString(), problem);
            return null;
        }
    }

    /// <summary>Each run of a peer draws its own election time-outs.</summary>
    public static ReplicaOptions Seeded(ReplicaOptions options) => options with
    {
        Seed = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong))),
    };
}
