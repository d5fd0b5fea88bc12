namespace Coordinator.Silo.Hosting;

/// <summary>Every message that the silo's process logs, with its stable event id (1000–1099).</summary>
internal static partial class SiloLog
{
    [LoggerMessage(1000, LogLevel.Information, "Data folder {Folder}")]
    public static partial void DataFolderTaken(this ILogger logger, string folder);

    [LoggerMessage(1001, LogLevel.Information, "Using the PostgreSQL of ConnectionStrings:Coordinator: {Server}")]
    public static partial void UsingConnectionString(this ILogger logger, string server);

    [LoggerMessage(1002, LogLevel.Information, "Stopping: {Reason}")]
    public static partial void Stopping(this ILogger logger, string reason);

    [LoggerMessage(1003, LogLevel.Information, "Stopped")]
    public static partial void Stopped(this ILogger logger);

    [LoggerMessage(1004, LogLevel.Warning, "Listening on {Address}, which is not loopback, without encryption and without authentication (AllowInsecure)")]
    public static partial void ListeningInsecurely(this ILogger logger, string address);

    [LoggerMessage(1005, LogLevel.Error, "The peers are still busy after {Patience}; going on without them")]
    public static partial void GroupNotStopped(this ILogger logger, TimeSpan patience);

    [LoggerMessage(1006, LogLevel.Critical, "Another process is silo {SiloId}, as silo {Told} says: this one stops")]
    public static partial void SiloIdTaken(this ILogger logger, string siloId, string told);

    [LoggerMessage(1020, LogLevel.Information, "Creating a private PostgreSQL {Version} cluster in {Folder}")]
    public static partial void CreatingCluster(this ILogger logger, Version version, string folder);

    [LoggerMessage(1021, LogLevel.Information, "Private PostgreSQL {Version} started, pid {Pid}; its log is in {LogFolder}")]
    public static partial void PostgresStarted(this ILogger logger, Version version, int pid, string logFolder);

    [LoggerMessage(1022, LogLevel.Information, "Private PostgreSQL {Version} was still running, pid {Pid}: adopted; its log is in {LogFolder}")]
    public static partial void PostgresAdopted(this ILogger logger, Version version, int pid, string logFolder);

    [LoggerMessage(1023, LogLevel.Warning, "The private PostgreSQL, pid {Pid}, is gone; starting it again")]
    public static partial void PostgresLost(this ILogger logger, int pid);

    [LoggerMessage(1024, LogLevel.Error, "The private PostgreSQL does not start; trying again in {Delay}. {Problem}")]
    public static partial void PostgresNotRestarted(this ILogger logger, TimeSpan delay, string problem);

    [LoggerMessage(1025, LogLevel.Information, "Private PostgreSQL stopped ({Mode})")]
    public static partial void PostgresStopped(this ILogger logger, string mode);

    [LoggerMessage(1026, LogLevel.Warning, "The private PostgreSQL, pid {Pid}, did not stop in the {Mode} mode; going on to the next")]
    public static partial void PostgresStopEscalated(this ILogger logger, int pid, string mode);

    [LoggerMessage(1027, LogLevel.Warning, "User {User} cannot enter the folders above {Wanted}: the cluster is kept in {Folder} instead, as {Note} says")]
    public static partial void ClusterElsewhere(this ILogger logger, string user, string wanted, string folder, string note);

    [LoggerMessage(1028, LogLevel.Warning, "{Folder} belongs to a data folder that is no longer there: set aside as {Aside}")]
    public static partial void ClusterSetAside(this ILogger logger, string folder, string aside);

    [LoggerMessage(1029, LogLevel.Information, "The pid file of PostgreSQL names process {Pid}, which is not this cluster's: passed over")]
    public static partial void StalePidFile(this ILogger logger, int pid);
}
