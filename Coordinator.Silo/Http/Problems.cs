using System.Globalization;
using System.Text.Json;
using Coordinator.Contracts;
using Microsoft.AspNetCore.WebUtilities;

namespace Coordinator.Silo.Http;

/// <summary>
/// Refusals as problem details (RFC 9457). The `code` is the contract's name of the error and stays the same for all
/// time; the status is what a client that knows no codes needs to know.
/// </summary>
internal static class Problems
{
    public static int StatusOf(ErrorCode code) => code switch
    {
        ErrorCode.InvalidRequest or ErrorCode.InvalidName or ErrorCode.InvalidTtl or ErrorCode.InvalidWait
            or ErrorCode.SpansGroups or ErrorCode.RevisionInFuture or ErrorCode.NestedTransaction
            or ErrorCode.DuplicateKey or ErrorCode.TooManyOperations
            or ErrorCode.InvalidPermits or ErrorCode.InvalidHoldTime or ErrorCode.TooManyResources => StatusCodes.Status400BadRequest,
        ErrorCode.Compacted => StatusCodes.Status410Gone,
        ErrorCode.ConditionFailed => StatusCodes.Status412PreconditionFailed,
        ErrorCode.ValueTooLarge or ErrorCode.RequestTooLarge or ErrorCode.TooManyKeys or ErrorCode.AnswerTooLarge => StatusCodes.Status413PayloadTooLarge,
        ErrorCode.UnsupportedContentType => StatusCodes.Status415UnsupportedMediaType,
        ErrorCode.UnknownPath or ErrorCode.SessionNotFound or ErrorCode.LockNotFound or ErrorCode.KeyNotFound
            or ErrorCode.PeerNotFound or ErrorCode.LeaseNotFound or ErrorCode.CandidateNotFound
            or ErrorCode.SiloNotFound => StatusCodes.Status404NotFound,
        ErrorCode.MethodNotAllowed => StatusCodes.Status405MethodNotAllowed,
        ErrorCode.ForbiddenHost => StatusCodes.Status421MisdirectedRequest,
        ErrorCode.ForbiddenOrigin => StatusCodes.Status403Forbidden,
        ErrorCode.LockNotAcquired or ErrorCode.LockNotHeld or ErrorCode.LockAlreadyHeld or ErrorCode.RequestIdStale
            or ErrorCode.NotWaiting or ErrorCode.RequestMismatch or ErrorCode.PeerChangeRefused
            or ErrorCode.PeerChangeInProgress or ErrorCode.PeerNotCaughtUp or ErrorCode.QuorumAtRisk
            or ErrorCode.SiloUnreachable
            or ErrorCode.LimitMismatch or ErrorCode.UpgradeInProgress or ErrorCode.DeadlockDetected
            or ErrorCode.HoldingAmbiguous or ErrorCode.GrantsHeldBack => StatusCodes.Status409Conflict,
        ErrorCode.TooManyWaiters or ErrorCode.TooManyHoldings or ErrorCode.TooManyOpenRequests
            or ErrorCode.TooManySessions or ErrorCode.TooManyBoundKeys or ErrorCode.TooManyWatches
            or ErrorCode.TooManyLeases or ErrorCode.TooManyReentries or ErrorCode.SnapshotInProgress => StatusCodes.Status429TooManyRequests,
        ErrorCode.NotLeader or ErrorCode.NoQuorum or ErrorCode.Overloaded or ErrorCode.Stopping
            or ErrorCode.StorageUnavailable or ErrorCode.Quarantined or ErrorCode.ReplicaBehind => StatusCodes.Status503ServiceUnavailable,
        // Not 503, which says "try again": repeating what may have happened is the caller's decision (rule 15).
        ErrorCode.OutcomeUnknown or ErrorCode.DeadlineExceeded => StatusCodes.Status504GatewayTimeout,
        _ => StatusCodes.Status500InternalServerError,
    };

    public static Task WriteAsync(HttpContext context, Refusal refusal) =>
        WriteAsync(context, refusal.Code, refusal.Message);

    /// <param name="status">When the server has a more precise one than the code's.</param>
    public static Task WriteAsync(
        HttpContext context, ErrorCode code, string? detail, string? leaderHint = null, int? status = null)
    {
        int statusCode = status ?? StatusOf(code);
        if (statusCode == StatusCodes.Status503ServiceUnavailable)
            context.Response.Headers.RetryAfter = "1";
        return Answers.WriteAsync(context, statusCode, "application/problem+json",
            json => Write(json, code, detail, leaderHint, statusCode));
    }

    public static void Write(Utf8JsonWriter json, ErrorCode code, string? detail, string? leaderHint, int status)
    {
        json.WriteString("type", string.Create(CultureInfo.InvariantCulture, $"urn:coordinator:error:{code}"));
        json.WriteString("title", ReasonPhrases.GetReasonPhrase(status));
        json.WriteNumber("status", status);
        json.WriteString("detail", string.IsNullOrEmpty(detail) ? ErrorText.Of(code) : detail);
        json.WriteString("code", code.ToString());
        if (!string.IsNullOrEmpty(leaderHint))
            json.WriteString("leader", leaderHint);
    }

    public static Task MethodNotAllowedAsync(HttpContext context, string allowed)
    {
        context.Response.Headers.Allow = allowed;
        return WriteAsync(context, ErrorCode.MethodNotAllowed, $"{context.Request.Method} is none of: {allowed}.");
    }

    public static Task UnknownPathAsync(HttpContext context, string detail) =>
        WriteAsync(context, ErrorCode.UnknownPath, detail);
}
