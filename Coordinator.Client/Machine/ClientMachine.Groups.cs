using Coordinator.Contracts;

namespace Coordinator.Client.Machine;

/// <summary>
/// The machine's group. Invariants: all that it sends is for its own group; of another group's positions, sessions and
/// answers it hears nothing, since ids and log indices mean something else there.
/// </summary>
internal sealed partial class ClientMachine
{
    // Callers who wait for the first Welcome alone, in order.
    private readonly List<Operation> _greets = [];

    /// <summary>How many the cluster has; 0 until a silo has said so. Names are divided among them, so it never changes.</summary>
    public int Groups { get; private set; }

    private void BeginGreet(GreetOperation greet)
    {
        if (Groups > 0)
        {
            Complete(greet, new Completion.Greeted(Groups));
            return;
        }
        _greets.Add(greet);
        _timers.Arm(greet);
    }

    /// <summary>Null: the silo belongs to the cluster that this client knows.</summary>
    private string? ProblemOfGroups(Welcome welcome) =>
        welcome.Groups is < 1 or > Limits.GroupsMax ? $"Its cluster has {welcome.Groups} groups, which can't be."
        : Groups != 0 && welcome.Groups != Groups
            ? $"Its cluster has {welcome.Groups} groups, that of this client has {Groups}: it is another one."
        : null;

    private void LearnGroups(int groups)
    {
        if (Groups != 0)
            return;
        Groups = groups;
        foreach (Operation greet in _greets)
        {
            _timers.Remove(greet);
            Complete(greet, new Completion.Greeted(groups));
        }
        _greets.Clear();
        foreach (Operation operation in NeverSent())
        {
            if (operation.Scope is not { } scope || !IsElsewhere(scope))
                continue;
            Complete(operation, new Completion.Elsewhere(scope));
            if (operation is AcquireOperation acquire)
                WithdrawAcquire(acquire);
            else
                Close(operation);
        }
    }

    /// <summary>Everything, before the first Welcome; in the order of submission.</summary>
    private Operation[] NeverSent() =>
    [
        .. _open.Values.Concat(_unsent).Concat(_lines.Values.SelectMany(line => line.Waiting)).Distinct()
            .OrderBy(operation => operation.Id),
    ];

    private bool IsElsewhere(Scope scope) => Groups > 0 && scope.In(Groups) != _options.Group;

    private ClientFrame NewFrame(long correlationId) => new() { CorrelationId = correlationId, Group = _options.Group };

    /// <summary>From a silo that mixes groups up, which counts as silence: what is seen here must be this group's.</summary>
    private bool IsForeign(ServerFrame frame) => frame.BodyCase switch
    {
        ServerFrame.BodyOneofCase.SessionEnded => frame.SessionEnded.Group != _options.Group,
        ServerFrame.BodyOneofCase.Command => IsForeign(frame.Command.Position),
        ServerFrame.BodyOneofCase.Query => IsForeign(frame.Query.Position),
        ServerFrame.BodyOneofCase.WatchPage => IsForeign(frame.WatchPage.Position),
        _ => false,
    };

    private bool IsForeign(Position? position) => position is not null && position.Group != _options.Group;
}

/// <summary>Done when it is known how many groups the cluster has; nothing is sent for it but a connection's greeting.</summary>
internal sealed class GreetOperation : Operation;
