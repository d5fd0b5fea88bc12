using Microsoft.Extensions.Logging;

namespace Coordinator.Grains.Orleans;

/// <summary>All that the Orleans host's peers log. Event ids 3100 to 3199 are stable.</summary>
internal static partial class OrleansLog
{
    [LoggerMessage(3100, LogLevel.Warning, "Database {Place} of a peer cannot be used now: {Problem}")]
    public static partial void DatabaseWaits(ILogger log, string place, string problem);

    [LoggerMessage(3101, LogLevel.Warning, "The cluster is not yet found or founded: {Why}")]
    public static partial void FoundingWaits(ILogger log, string why);

    [LoggerMessage(3102, LogLevel.Critical,
        "Database {Place} has lost its peers: the groups know them with other storage ids. Those peers do not come back from an empty database")]
    public static partial void PlaceIsLost(ILogger log, string place);

    [LoggerMessage(3103, LogLevel.Error, "Peer {Peer} cannot be activated in this silo")]
    public static partial void PeerNotActivated(ILogger log, string peer, Exception problem);

    [LoggerMessage(3104, LogLevel.Warning, "Peer {Peer} is not activated in this silo for {Time}: {Why}")]
    public static partial void Tombstone(ILogger log, string peer, TimeSpan time, string why);

    [LoggerMessage(3105, LogLevel.Debug, "A message to peer {Peer} is lost: {Why}")]
    public static partial void MessageLost(ILogger log, long peer, string why);

    [LoggerMessage(3106, LogLevel.Warning, "A message to peer {Peer} was dropped: {Why}")]
    public static partial void MessageDropped(ILogger log, string peer, string why);

    [LoggerMessage(3107, LogLevel.Information, "Peer {Peer} moves to silo {Silo}, which has fewer")]
    public static partial void PeerMoves(ILogger log, string peer, string silo);

    [LoggerMessage(3108, LogLevel.Debug, "Balancing waits: {Why}")]
    public static partial void BalancingWaits(ILogger log, string why);

    [LoggerMessage(3109, LogLevel.Information, "Peer {Peer} is active in this silo, as activation {Epoch}")]
    public static partial void PeerActive(ILogger log, string peer, long epoch);

    [LoggerMessage(3110, LogLevel.Critical, "The groups cannot be opened")]
    public static partial void GroupNotOpened(ILogger log, Exception problem);

    [LoggerMessage(3111, LogLevel.Warning,
        "{Setting} is {Value}; recommended is {Recommended}: after a silo's death its peers come back later than they could (UseCoordinatorMembership)")]
    public static partial void MembershipDiffers(ILogger log, string setting, object value, object recommended);

    [LoggerMessage(3112, LogLevel.Warning, "The catalogue of groups cannot be written now: {Why}")]
    public static partial void CatalogueWaits(ILogger log, string why);

    [LoggerMessage(3113, LogLevel.Warning, "No reminder wakes the peers: {Why}")]
    public static partial void NoReminder(ILogger log, string why);

    [LoggerMessage(3114, LogLevel.Debug, "Silo {Silo} does not tell of its peers now: {Why}")]
    public static partial void SiloNotReached(ILogger log, string silo, string why);

    [LoggerMessage(3115, LogLevel.Debug, "Peer {Peer}, which is active nowhere, could not be made so: {Why}")]
    public static partial void PeerNotBegun(ILogger log, string peer, string why);

    [LoggerMessage(3116, LogLevel.Error, "The silos and peers could not be looked after")]
    public static partial void LookoutWaits(ILogger log, Exception problem);

    [LoggerMessage(3120, LogLevel.Error, "Database {Place} is not used: {Why}")]
    public static partial void PlaceRefused(ILogger log, string place, string why);
}
