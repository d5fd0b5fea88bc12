using System.Globalization;
using Coordinator.Raft;

namespace Coordinator.Simulation.Cluster;

/// <summary>Where clients find the silo of a peer.</summary>
internal static class SiloAddress
{
    private const string Prefix = "http://silo-";

    public static string Of(PeerId peer) => $"{Prefix}{peer}";

    public static PeerId PeerAt(string address) =>
        new(long.Parse(address.AsSpan(Prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture));
}
