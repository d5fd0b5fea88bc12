using Google.Protobuf;
using Microsoft.Extensions.Logging;
using Orleans;
using Orleans.Runtime;
using Orleans.Runtime.Services;
using Orleans.Services;

namespace Coordinator.Grains.Orleans;

/// <summary>
/// A silo that is asked for all its peers at once. Called by its address, so neither a directory nor placement is in between,
/// and one that is gone is known to be.
/// </summary>
[Alias("Coordinator.PeersHere")]
internal interface IPeersHereService : IGrainService
{
    /// <param name="since">The version of the last answer that was taken in; 0: none was.</param>
    /// <returns>As <c>SiloFacts</c>: what has changed since.</returns>
    [Alias("Tell")]
    [ResponseTimeout("00:00:03")] // By then a silo that answers nothing is declared dead.
    Task<byte[]> TellAsync(long since);
}

/// <inheritdoc cref="IPeersHereService"/>
internal sealed class PeersHereService(GrainId id, global::Orleans.Runtime.Silo silo, ILoggerFactory logs, OrleansGroups groups)
    : GrainService(id, silo, logs), IPeersHereService
{
    // Beside the silo's scheduler: another silo's question must not hold up what else it has to do.
    public Task<byte[]> TellAsync(long since) => Task.Run(() => groups.Here.Tell(since).ToByteArray());
}

/// <summary>Asks other silos.</summary>
internal sealed class PeersHereClient(IServiceProvider services) : GrainServiceClient<IPeersHereService>(services)
{
    public Task<byte[]> AskAsync(SiloAddress silo, long since) => GetGrainService(silo).TellAsync(since);
}
