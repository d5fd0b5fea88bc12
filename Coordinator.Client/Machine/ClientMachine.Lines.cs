using Coordinator.Contracts;

namespace Coordinator.Client.Machine;

/// <summary>
/// The client's own lines. Whoever needs several resources stands in all of their lines and goes when first and admitted
/// in each, as in the cluster's queues (rule 20): two of them never block each other.
/// </summary>
internal sealed partial class ClientMachine
{
    private readonly Dictionary<ResourceKey, LockLine> _lines = [];

    private void EnterLine(AcquireOperation acquire)
    {
        // Passed on from another group's machine, its wait goes on.
        if (acquire.IsBounded && acquire.WaitEnd == TimeSpan.MaxValue)
            acquire.WaitEnd = _now.Monotonic + acquire.Wait;
        if (acquire.Upgrades is { } shared && RefusalOfUpgrade(shared) is { } refused)
        {
            Complete(acquire, new Completion.Refused(refused, ErrorText.Of(refused)));
            return;
        }
        acquire.Lines = acquire.Upgrades?.Lines ?? LinesOf(acquire.Request);
        if (acquire.Lines.All(line => line.LetsPass(acquire) && line.Admits(acquire)))
        {
            Occupy(acquire);
        }
        else if (acquire.IsTry)
        {
            // This very client holds the name, or is before the try in line for it.
            Complete(acquire, new Completion.NotAcquired());
            ServeLines(acquire.Lines);
        }
        else
        {
            foreach (LockLine line in acquire.Lines)
                acquire.Places.Add(acquire.Upgrades is null ? line.Waiting.AddLast(acquire) : line.Waiting.AddFirst(acquire));
            _timers.Arm(acquire);
        }
    }

    private static ErrorCode? RefusalOfUpgrade(Holding holding) =>
        holding.Node is null ? ErrorCode.LockNotHeld
        : !holding.IsShared ? ErrorCode.LockAlreadyHeld
        : holding.Lines[0].IsUpgrading ? ErrorCode.UpgradeInProgress
        : null;

    private LockLine[] LinesOf(AcquireRequest request)
    {
        if (request.IsCounted)
            return [];
        LockLine[] lines = new LockLine[request.Names.Count];
        for (int i = 0; i < lines.Length; i++)
        {
            ResourceKey key = request.KeyOf(i);
            if (!_lines.TryGetValue(key, out LockLine? line))
                _lines.Add(key, line = new LockLine(key));
            lines[i] = line;
        }
        return lines;
    }

    /// <summary>Nobody of this client is in the way: on to the cluster.</summary>
    private void Occupy(AcquireOperation acquire)
    {
        foreach (LockLine line in acquire.Lines)
            line.Acquires.Add(acquire);
        acquire.Joins = acquire.Lines.Count == 1 ? acquire.Lines[0].Holdings.FirstOrDefault() : null;
        if (acquire.Upgrades is not { } shared)
        {
            Enqueue(acquire);
            return;
        }
        // In no other session than that of what it upgrades.
        Assign(acquire, shared.Session);
        SetWaitLimits(acquire);
        Open(acquire);
    }

    private void ServeLines(IReadOnlyList<LockLine> lines)
    {
        foreach (LockLine line in lines)
            ServeLine(line);
    }

    /// <summary>An occupant is gone, or has changed: the next in line go to the cluster.</summary>
    private void ServeLine(LockLine line)
    {
        while (line.Waiting.First is { Value: var next }
            && next.Places.TrueForAll(place => place.Previous is null)
            && next.Lines.All(needed => needed.Admits(next)))
        {
            LeavePlaces(next);
            // Only now does it depend on the cluster.
            next.GiveUpAt = _now.Monotonic + _options.RequestTimeout;
            Occupy(next);
        }
        if (line.IsIdle)
            _lines.Remove(line.Key);
    }

    private void LeavePlaces(AcquireOperation acquire)
    {
        foreach (LinkedListNode<AcquireOperation> place in acquire.Places)
            place.List!.Remove(place);
        acquire.Places.Clear();
        _timers.Remove(acquire);
    }

    /// <summary>It waits no more among this client's own; who stood behind it may be served.</summary>
    private void GiveUpPlaces(AcquireOperation acquire)
    {
        LeavePlaces(acquire);
        ServeLines(acquire.Lines);
    }

    /// <summary>It occupies nothing any more.</summary>
    private void LeaveLine(AcquireOperation acquire)
    {
        foreach (LockLine line in acquire.Lines)
            line.Acquires.Remove(acquire);
        ServeLines(acquire.Lines);
    }

    private void StopLines()
    {
        foreach (LockLine line in _lines.Values)
        {
            foreach (AcquireOperation waiting in line.Waiting)
            {
                _timers.Remove(waiting);
                Complete(waiting, new Completion.Stopped());
            }
        }
        _lines.Clear();
    }
}
