using Coordinator.Client.Connection;
using Coordinator.Client.Machine;
using Coordinator.Contracts;

namespace Coordinator.Client;

/// <summary>This client leads, until it resigns (which is <see cref="HoldingHandle.ReleaseAsync"/>) or is no longer sure to.</summary>
public class LeadershipHandle : HoldingHandle
{
    internal LeadershipHandle(ClientRuntime runtime, Holding holding) : base(runtime, holding)
    {
    }

    protected LeadershipHandle()
    {
    }

    /// <summary>Publishes another value: at most 1 KiB, shown to whoever asks for the leader.</summary>
    /// <exception cref="CoordinatorException">It leads no longer.</exception>
    public virtual Task ProclaimAsync(string value, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(value);
        Acquires.CheckText(value, nameof(value));
        Command command = new() { Proclaim = new Proclaim { Name = Name, Token = FencingToken, Value = value } };
        return Runtime.ExecuteAsync(new HoldingOperation(Holding, command), cancellationToken);
    }

    /// <summary>
    /// Resigns in favour of a candidate that waits, whatever its place in line; it leads from the same moment on. Stop
    /// leading before you ask for this: whatever comes of it but <see cref="ErrorCode.CandidateNotFound"/>, this client
    /// leads no longer.
    /// </summary>
    /// <param name="candidateSessionId">From <see cref="CoordinatorHoldings.DescribeAsync"/>'s waiters.</param>
    /// <param name="cancellationToken">Ends the wait for the answer; the leadership is given up all the same.</param>
    /// <exception cref="CoordinatorException">
    /// <see cref="ErrorCode.CandidateNotFound"/>: that session doesn't wait, and this client still leads.
    /// </exception>
    public virtual Task HandOverAsync(long candidateSessionId, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(candidateSessionId);
        Command command = new()
        {
            HandOver = new HandOver { Name = Name, Token = FencingToken, ToSessionId = candidateSessionId },
        };
        return Runtime.ExecuteAsync(new HoldingOperation(Holding, command), cancellationToken);
    }
}
