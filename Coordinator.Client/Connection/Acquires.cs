using Coordinator.Client.Machine;
using Coordinator.Contracts;

namespace Coordinator.Client.Connection;

/// <summary>Acquires as the public classes make them: arguments are checked here, and nothing that is lost is handed out.</summary>
internal static class Acquires
{
    /// <returns>Null when the wait is over.</returns>
    public static async Task<Holding?> AcquireAsync(
        this ClientGroups groups, AcquireRequest request, TimeSpan wait, CancellationToken cancellationToken)
    {
        Check(request, wait);
        Scope scope = Scope.Of(request.Names);
        TimeSpan start = groups.Clock.Now().Monotonic;
        TimeSpan remaining = wait;
        while (true)
        {
            Completion completion =
                await groups.RunAsync(new AcquireOperation(request, remaining), scope, cancellationToken).ConfigureAwait(false);
            if (completion is not Completion.Acquired { Holding: var holding })
                return null;
            // This process may have been stopped between the grant and here: what is lost is not handed out.
            if (!((LifeGuard)holding.Host!).CheckedLostToken().IsCancellationRequested)
                return holding;
            TimeSpan left = wait - (groups.Clock.Now().Monotonic - start);
            remaining = wait == Timeout.InfiniteTimeSpan ? wait : left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }
    }

    public static void CheckWait(TimeSpan wait)
    {
        if (wait != Timeout.InfiniteTimeSpan && (wait < TimeSpan.Zero || wait > Limits.WaitMax))
            throw new ArgumentOutOfRangeException(nameof(wait), wait, $"A wait is from 0 to {Limits.WaitMax}, or infinite.");
    }

    public static void CheckName(string name)
    {
        if (ResourceName.Problem(name) is { } problem)
            throw new ArgumentException(problem, nameof(name));
    }

    public static void CheckText(string? text, string argument)
    {
        if (ResourceName.LabelProblem(text) is { } problem)
            throw new ArgumentException(problem, argument);
    }

    // The same rules as the cluster's: what it would refuse whatever its state is the caller's mistake.
    private static void Check(AcquireRequest request, TimeSpan wait)
    {
        foreach (string name in request.Names)
            CheckName(name);
        CheckWait(wait);
        Command command = new() { SessionId = 1, RequestId = 1, AcquireLock = request.ToAcquireLock(0, isUpgrade: false) };
        if (CommandRules.Check(command) is { } wrong)
            throw new ArgumentException(wrong.Message);
    }
}
