namespace Coordinator.Silo.Hosting;

/// <summary>What runs the peers: the option Coordinator:Host.</summary>
internal enum HostKind
{
    Embedded,
    Cluster,

    /// <summary>Only in a program that was compiled with it.</summary>
    Orleans,
}
