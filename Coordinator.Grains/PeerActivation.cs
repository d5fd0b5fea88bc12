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
    public static async Task<LoadedPeer> ActivateAsync(
        PeerKey key, PeerDatabase database, string owner, TimeSpan limit, TimeProvider time, ILogger log,
        CancellationToken cancellationToken)
    {
        long startedAt = time.GetTimestamp();
        while (true)
        {
            switch (await database.ActivateAsync(key, owner, cancellationToken))
            {
                case ActivationResult.Activated activated:
                    return activated.Peer;
                case ActivationResult.Unavailable unavailable when time.GetElapsedTime(startedAt) < limit:
                    HostLog.ReactivationWaits(log, key.ToString(), unavailable.Reason.Message);
                    await Task.Delay(Retry, time, cancellationToken);
                    break;
                case var refused:
                    throw new GroupStartException($"Peer {key} cannot be activated: {refused}");
            }
        }
    }

    /// <summary>Each run of a peer draws its own election time-outs.</summary>
    public static ReplicaOptions Seeded(ReplicaOptions options) => options with
    {
        Seed = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong))),
    };
}
