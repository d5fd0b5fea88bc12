using Coordinator.Contracts;

namespace Coordinator.Client.Machine;

/// <summary>Which refusals end a request, and which are a reason to ask again with the same request id.</summary>
internal static class ErrorRules
{
    /// <summary>The service can't, now; or can't tell. The same bytes are sent again (rule 14 makes that safe).</summary>
    public static bool IsTransient(ErrorCode code) => code is ErrorCode.NotLeader or ErrorCode.NoQuorum
        or ErrorCode.Overloaded or ErrorCode.Stopping or ErrorCode.StorageUnavailable or ErrorCode.OutcomeUnknown
        or ErrorCode.Quarantined or ErrorCode.ReplicaBehind or ErrorCode.DeadlineExceeded or ErrorCode.TooManyOpenRequests;

    /// <summary>The trouble is this silo's own: another may do better.</summary>
    public static bool IsOfTheSilo(ErrorCode code) => code is ErrorCode.NotLeader or ErrorCode.Stopping
        or ErrorCode.StorageUnavailable or ErrorCode.Quarantined or ErrorCode.ReplicaBehind;

    /// <summary>A release that finds nothing to release has done its work.</summary>
    public static bool MeansNotHeld(ErrorCode code) =>
        code is ErrorCode.Ok or ErrorCode.LockNotHeld or ErrorCode.LockNotFound or ErrorCode.SessionNotFound
            or ErrorCode.LeaseNotFound;
}
