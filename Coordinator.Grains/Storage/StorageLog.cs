using Coordinator.Replica.Storage;
using Microsoft.Extensions.Logging;

namespace Coordinator.Grains.Storage;

/// <summary>
/// Every message of the storage. Invariant: an event id keeps its meaning; 2000 to 2099 are the storage's.
/// </summary>
internal static partial class StorageLog
{
    [LoggerMessage(2000, LogLevel.Debug,
        "Database {Database} on {Host} is open: schema version {Version}, found {Found}")]
    public static partial void Opened(ILogger log, string database, string host, int version, int found);

    [LoggerMessage(2001, LogLevel.Information, "Waiting for the database: {Reason}")]
    public static partial void OpenWaits(ILogger log, string reason);

    [LoggerMessage(2002, LogLevel.Debug,
        "Cluster {ClusterId} is bootstrapped with {Peers} peers in this database")]
    public static partial void Bootstrapped(ILogger log, Guid clusterId, int peers);

    [LoggerMessage(2003, LogLevel.Debug,
        "Peer {Key} is activated: epoch {Epoch}, owner {Owner}, term {Term}, {Entries} entries")]
    public static partial void Activated(ILogger log, PeerKey key, long epoch, string owner, long term, int entries);

    // What it means, the owner of the peer says: a row that is missing may be that of a peer that has just left.
    [LoggerMessage(2004, LogLevel.Warning, "Peer {Key} is not activated: {Result}")]
    public static partial void NotActivated(ILogger log, PeerKey key, ActivationResult result);

    [LoggerMessage(2005, LogLevel.Warning, "Peer {Key} cannot be activated now: {Reason}")]
    public static partial void ActivationUnavailable(ILogger log, PeerKey key, string reason);

    [LoggerMessage(2006, LogLevel.Warning, "Peer {Key}: write {WriteSeq} of epoch {Epoch} did not land: {Outcome}")]
    public static partial void WriteDidNotMatch(
        ILogger log, PeerKey key, long epoch, long writeSeq, WriteOutcome outcome);

    [LoggerMessage(2007, LogLevel.Warning, "{Writes} writes were not sent")]
    public static partial void WritesNotSent(ILogger log, int writes, Exception reason);

    [LoggerMessage(2008, LogLevel.Warning, "{Writes} writes in one statement ended as {Outcome}")]
    public static partial void WritesLost(ILogger log, int writes, WriteOutcome outcome, Exception reason);

    [LoggerMessage(2009, LogLevel.Warning, "The epochs were not read: {Reason}")]
    public static partial void EpochsNotRead(ILogger log, string reason);

    [LoggerMessage(2010, LogLevel.Debug, "A broken connection did not close cleanly")]
    public static partial void ConnectionNotClosed(ILogger log, Exception reason);

    [LoggerMessage(2011, LogLevel.Warning, "The database was not checked: {Reason}")]
    public static partial void CheckUnavailable(ILogger log, string reason);

    [LoggerMessage(2012, LogLevel.Critical, "The database is refused, nothing is written to it: {Refusals}")]
    public static partial void ServerRefused(ILogger log, string refusals);

    [LoggerMessage(2013, LogLevel.Information, "The database is accepted again")]
    public static partial void ServerAccepted(ILogger log);

    [LoggerMessage(2014, LogLevel.Warning,
        "A session holds a snapshot {Age} old in this database (alarm at {Alarm}): writes slow down until it ends")]
    public static partial void OldSnapshot(ILogger log, TimeSpan age, TimeSpan alarm);

    [LoggerMessage(2015, LogLevel.Warning,
        "Peer {Key}: chunk {Chunk} of snapshot {SnapshotId} was not written: {Reason}")]
    public static partial void ChunkNotWritten(ILogger log, PeerKey key, long snapshotId, int chunk, string reason);

    [LoggerMessage(2016, LogLevel.Warning, "Peer {Key}: garbage of old snapshots stays until the next time: {Reason}")]
    public static partial void GarbageNotDeleted(ILogger log, PeerKey key, string reason);

    [LoggerMessage(2017, LogLevel.Information, "Peer {Key} is added, with storage id {StorageId}")]
    public static partial void PeerAdded(ILogger log, PeerKey key, Guid storageId);

    [LoggerMessage(2018, LogLevel.Information, "Peer {Key} is removed with all that was stored of it")]
    public static partial void PeerRemoved(ILogger log, PeerKey key);
}
