using Coordinator.Contracts;

namespace Coordinator.Client.Machine;

/// <summary>Leases: granted at once or not at all, renewed by the machine, lost at their own deadline (rule 13).</summary>
internal sealed partial class ClientMachine
{
    private readonly List<Lease> _leases = [];

    private void BeginLeaseOperation(LeaseOperation operation)
    {
        // Lost already, or released: the cluster ends it, or has been told.
        if (operation is ReleaseLeaseOperation { Lease.IsOver: true })
        {
            Complete(operation, new Completion.Released());
            return;
        }
        if (operation is RenewLeaseOperation { Lease.IsOver: true })
        {
            Complete(operation, new Completion.Refused(ErrorCode.LeaseNotFound, ErrorText.Of(ErrorCode.LeaseNotFound)));
            return;
        }
        if (operation is ReleaseLeaseOperation { Lease: { } released })
            EndLease(released);
        operation.Frame = NewFrame(operation.Id);
        operation.Frame.Command = operation.MakeCommand();
        Open(operation);
    }

    private void OnLeaseAnswer(LeaseOperation operation, CommandAnswer answer, CommandResult result)
    {
        OffWire(operation);
        if (ErrorRules.IsTransient(result.Error))
        {
            RetryOrForget(operation);
            OnRefusal(result.Error, answer.Message, answer.LeaderHint);
            return;
        }
        OnGoodAnswer();
        Saw(answer.Position);
        switch (operation)
        {
            case AcquireLeaseOperation acquire:
                OnLeaseAcquired(acquire, answer, result);
                break;
            case RenewLeaseOperation renew:
                OnLeaseRenewed(renew, answer, result);
                break;
            default:
                Complete(operation, new Completion.Answered(answer));
                break;
        }
        Close(operation);
    }

    /// <summary>Without a caller it is only tidied up; what its time to live ends needs no tidying.</summary>
    private void RetryOrForget(LeaseOperation operation)
    {
        TimeSpan ttl = operation switch
        {
            AcquireLeaseOperation acquire => acquire.Ttl,
            ReleaseLeaseOperation release => release.Ttl,
            _ => TimeSpan.MaxValue,
        };
        bool isTidying = operation.Caller is null && operation is not RenewLeaseOperation;
        if (isTidying && operation.FirstSent is { } first && _now.Since(first) >= ttl)
            Close(operation);
        else
            RetryLater(operation);
    }

    private void OnLeaseAcquired(AcquireLeaseOperation acquire, CommandAnswer answer, CommandResult result)
    {
        if (result is not { Error: ErrorCode.Ok, Outcome: Outcome.Granted })
        {
            bool isTaken = result.Outcome == Outcome.NotAcquired || result.Error == ErrorCode.LockNotAcquired;
            Complete(acquire, isTaken ? new Completion.NotAcquired() : new Completion.Refused(result.Error, answer.Message));
            return;
        }
        if (acquire.Caller is null)
        {
            BeginLeaseOperation(new ReleaseLeaseOperation(acquire.Name, result.Token, null) { Id = ++_lastId });
            return;
        }
        Lease lease = new(acquire.Name, result.Token, acquire.Ttl, acquire.IsRenewed)
        {
            // A repeat with the same nonce has renewed it: what came in on this link answers the last sending.
            Lifetime = new SessionLifetime(acquire.LastSent, _options.Validity(acquire.Ttl)),
        };
        _leases.Add(lease);
        Complete(acquire, new Completion.Leased(lease));
    }

    private void OnLeaseRenewed(RenewLeaseOperation renew, CommandAnswer answer, CommandResult result)
    {
        Complete(renew, new Completion.Answered(answer));
        if (renew.Lease is not { IsOver: false } lease)
            return;
        lease.IsRenewing = false;
        if (result.Error != ErrorCode.Ok)
        {
            LoseLease(lease, $"Its renewal was refused: {result.Error}.");
            return;
        }
        lease.Lifetime = new SessionLifetime(renew.LastSent, _options.Validity(lease.Ttl));
        _effects.Add(new ClientEffect.LeaseExtended(lease, lease.Lifetime));
    }

    private void SendDueRenewals()
    {
        foreach (Lease lease in _leases.ToArray())
        {
            if (lease.RenewalDueIn(_now) > TimeSpan.Zero)
                continue;
            lease.IsRenewing = true;
            BeginLeaseOperation(new RenewLeaseOperation(lease.Name, lease.Id, lease) { Id = ++_lastId });
        }
    }

    private void LoseOverdueLeases()
    {
        for (int i = _leases.Count - 1; i >= 0; i--)
        {
            if (_leases[i].Lifetime.IsOver(_now))
                LoseLease(_leases[i], "No renewal was answered before its deadline.");
        }
    }

    private void LoseLease(Lease lease, string reason)
    {
        EndLease(lease);
        _effects.Add(new ClientEffect.LeaseLost(lease, reason));
        Log(new ClientEvent.LeaseLost(lease.Name, lease.Id, reason, IsStopping));
    }

    private void EndLease(Lease lease)
    {
        lease.IsOver = true;
        _leases.Remove(lease);
        foreach (Operation operation in OpenInOrder())
        {
            if (operation is RenewLeaseOperation renew && renew.Lease == lease && renew.Caller is null)
                Close(renew);
        }
    }

    /// <summary>The client stops: holders hear of it first, then the cluster.</summary>
    private void StopLeases()
    {
        foreach (Lease lease in _leases.ToArray())
        {
            LoseLease(lease, "The client was disposed.");
            BeginLeaseOperation(new ReleaseLeaseOperation(lease.Name, lease.Id, null) { Id = ++_lastId });
        }
    }

    private TimeSpan NextLeaseDue()
    {
        TimeSpan next = TimeSpan.MaxValue;
        foreach (Lease lease in _leases)
        {
            TimeSpan dueIn = Earlier(lease.Lifetime.Remaining(_now), _options.WallCheckInterval);
            if (_link.Phase == LinkPhase.Ready)
                dueIn = Earlier(dueIn, lease.RenewalDueIn(_now));
            next = Earlier(next, _now.Monotonic + dueIn);
        }
        return next;
    }
}
