using Coordinator.Contracts;
using Google.Protobuf;
using Orleans.Runtime;

namespace Coordinator.Grains.Orleans;

/// <summary>The part that asks before this silo has found the groups itself.</summary>
internal sealed partial class PeerLookout
{
    /// <summary>Whether the cluster runs in another silo: one that lives has found it.</summary>
    public async Task<RunsElsewhere> FindElsewhereAsync(Guid clusterId, CancellationToken cancellationToken)
    {
        var id = ByteString.CopyFrom(clusterId.ToByteArray());
        (SiloAddress Silo, ByteString? Found)[] told = await Task.WhenAll(
            whereabouts.OthersThatMay().Select(async other => (other, await FoundByAsync(other, cancellationToken))));
        return told.Any(one => id.Equals(one.Found))
            ? new RunsElsewhere(Runs: true, Silent: null)
            : new RunsElsewhere(Runs: false, told.FirstOrDefault(one => one.Found is null).Silo?.ToString());
    }

    /// <summary>The cluster that the silo has found; empty: none yet; null: it does not answer.</summary>
    private async Task<ByteString?> FoundByAsync(SiloAddress other, CancellationToken cancellationToken)
    {
        try
        {
            return SiloFacts.Parser.ParseFrom(await others.AskAsync(other, since: 0).WaitAsync(cancellationToken)).ClusterId;
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            OrleansLog.SiloNotReached(log, other.ToString(), e.Message);
            return null;
        }
    }
}
