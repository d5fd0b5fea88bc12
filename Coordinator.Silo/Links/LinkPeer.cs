namespace Coordinator.Silo.Links;

/// <summary>Another silo of the cluster, as this one's configuration names it.</summary>
/// <param name="Address">Where its link listener is reached: ws or wss, host and port.</param>
public sealed record LinkPeer(string SiloId, Uri Address);
