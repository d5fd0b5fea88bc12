using System.Security.Cryptography;
using Google.Protobuf;

namespace Coordinator.Silo.Links;

/// <summary>What all links of one silo share.</summary>
internal sealed class LinkContext(LinkOptions options, LinkHandlers handlers, TimeProvider time, ILogger log)
{
    private volatile ByteString _clusterId = ByteString.Empty;

    /// <summary>Of this process: another one with the same silo id is another life of the silo, or a second silo.</summary>
    public ByteString Process { get; } = ByteString.CopyFrom(RandomNumberGenerator.GetBytes(LinkLimits.ProcessBytes));

    public LinkOptions Options => options;

    public LinkHandlers Handlers => handlers;

    public TimeProvider Time => time;

    public ILogger Log => log;

    public LogGate Gate { get; } = new(options.RefusalLogInterval, time);

    /// <summary>For what this silo refuses; the other one is for what it is refused.</summary>
    public LogGate CallerGate { get; } = new(options.RefusalLogInterval, time);

    /// <summary>Empty until the cluster has been bootstrapped.</summary>
    public ByteString ClusterId
    {
        get => _clusterId;
        set => _clusterId = value;
    }
}
