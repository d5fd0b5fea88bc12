namespace Coordinator.Silo.Hosting;

/// <summary>What the process answers to whoever started it. The numbers are stable: scripts compare them.</summary>
internal enum ExitCode
{
    Stopped = 0,
    Failed = 1,
    BadOptions = 2,
    AddressUnavailable = 3,
    DataFolderInUse = 4,
    NoPostgres = 5,
    GroupNotStarted = 6,

    /// <summary>Another live process is this silo of the cluster.</summary>
    SiloIdTaken = 7,

    /// <summary>A snapshot file is damaged, or cannot be restored as was asked.</summary>
    BadSnapshot = 8,

    /// <summary>Stopped by a second Ctrl-C, or because stopping took too long (128 + SIGINT, as shells count).</summary>
    Forced = 130,
}
