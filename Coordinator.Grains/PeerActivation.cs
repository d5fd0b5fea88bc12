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
        WitnessFile? witness = options.Folder is null ? null : new WitnessFile(options.Folder, storageId);
        var evidence = new StorageEvidence(Read(key, witness, log))
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
    /// Before a peer's rows are made: from then on the file vouches for them, so that the peer needs no word of silos that
    /// are yet to take their part. One that is there already stays: it knows of earlier rows.
    /// </summary>
    public static async Task PrepareAsync(
        Guid storageId, PeerDatabase database, WitnessOptions options, CancellationToken cancellationToken)
    {
        if (options.Folder is null)
            return;
        var witness = new WitnessFile(options.Folder, storageId);
        if (!witness.Exists)
            witness.Write(new StorageWitness(new StorageMark(storageId, 0, 0), await database.ReadMomentAsync(cancellationToken)));
    }

    /// <summary>After a peer's rows are gone: what is left of its file would cost space, no more.</summary>
    public static void Forget(Guid storageId, WitnessOptions options, ILogger log)
    {
        try
        {
            if (options.Folder is not null)
                new WitnessFile(options.Folder, storageId).Delete();
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            HostLog.WitnessKept(log, storageId, problem);
        }
    }

    /// <summary>A damaged file is as good as none: then all other voters are asked.</summary>
    private static StorageWitness? Read(PeerKey key, WitnessFile? witness, ILogger log)
    {
        try
        {
            return witness?.Read();
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
