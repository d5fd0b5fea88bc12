using Coordinator.Contracts;

namespace Coordinator.Replica.State;

/// <summary>
/// What became of an operation, as it is kept for repeats: outcome, token, revision and version, never values (rule 14).
/// </summary>
internal readonly record struct OperationResult(
    ErrorCode Error,
    Outcome Outcome,
    long Token = 0,
    long Floor = 0,
    long Revision = 0,
    long Version = 0,
    int Holds = 0,
    IReadOnlyList<long>? AlsoFloors = null)
{
    public static readonly OperationResult Queued = new(ErrorCode.Ok, Outcome.Queued);
    public static readonly OperationResult NotAcquired = new(ErrorCode.LockNotAcquired, Outcome.NotAcquired);

    public static OperationResult Done(long token = 0) => new(ErrorCode.Ok, Outcome.Done, token);

    public static OperationResult Refused(ErrorCode error) => new(error, Outcome.None);

    /// <param name="tokenGivenBack">Of the grant that came first and was given back; 0: there was none.</param>
    public static OperationResult Cancelled(long tokenGivenBack = 0) =>
        new(ErrorCode.Ok, Outcome.Cancelled, tokenGivenBack);

    public CommandResult ToCommandResult()
    {
        var result = new CommandResult
        {
            Error = Error,
            Outcome = Outcome,
            Token = Token,
            Floor = Floor,
            Revision = Revision,
            Version = Version,
            Holds = Holds,
        };
        if (AlsoFloors is not null)
            result.AlsoFloors.Add(AlsoFloors);
        return result;
    }

    /// <param name="waitIndex">Of the acquire, if this is <see cref="Outcome.Queued"/>; otherwise it is left out.</param>
    public ApplyResult ToApplyResult(long waitIndex = 0) => new(
        ToCommandResult(),
        Outcome == Outcome.Queued ? waitIndex : 0,
        Error == ErrorCode.Ok ? null : Message());

    // A session that waits for the lock already, by another request, has no token to be told.
    private string Message() => Error == ErrorCode.LockAlreadyHeld && Token == 0
        ? "This session waits for the lock already, by another request."
        : ErrorText.Of(Error);
}
