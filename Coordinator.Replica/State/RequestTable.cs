using Coordinator.Contracts;

namespace Coordinator.Replica.State;

/// <summary>What a request id was used for: the kind of operation, and a hash of the name that it was about.</summary>
internal readonly record struct Fingerprint(Command.OperationOneofCase Kind, ulong NameHash)
{
    /// <summary>
    /// Of an acquire that was cancelled before it arrived: its name is not known yet, so any acquire matches.
    /// </summary>
    public static readonly Fingerprint AnyAcquire = new(Command.OperationOneofCase.AcquireLock, 0);

    public static Fingerprint Of(Command command) => command.OperationCase switch
    {
        Command.OperationOneofCase.AcquireLock => new(command.OperationCase, Of(command.AcquireLock)),
        Command.OperationOneofCase.ReleaseLock => Of(command, command.ReleaseLock.Kind, command.ReleaseLock.Name),
        Command.OperationOneofCase.DowngradeLock => Of(command, HoldingKind.Lock, command.DowngradeLock.Name),
        Command.OperationOneofCase.ForceRelease => Of(command, command.ForceRelease.Kind, command.ForceRelease.Name),
        Command.OperationOneofCase.RequestRelease => Of(command, command.RequestRelease.Kind, command.RequestRelease.Name),
        Command.OperationOneofCase.Proclaim => Of(command, HoldingKind.Election, command.Proclaim.Name),
        Command.OperationOneofCase.HandOver => Of(command, HoldingKind.Election, command.HandOver.Name),
        Command.OperationOneofCase.AcquireLease => Of(command, HoldingKind.Lease, command.AcquireLease.Name),
        Command.OperationOneofCase.RenewLease => Of(command, HoldingKind.Lease, command.RenewLease.Name),
        Command.OperationOneofCase.ReleaseLease => Of(command, HoldingKind.Lease, command.ReleaseLease.Name),
        Command.OperationOneofCase.PutConfig => new(command.OperationCase, StateHash.Of(command.PutConfig.Key)),
        Command.OperationOneofCase.DeleteConfig => new(command.OperationCase, StateHash.Of(command.DeleteConfig.Key)),
        Command.OperationOneofCase.Transaction => new(command.OperationCase, ConfigHash.KeysOf(command.Transaction)),
        Command.OperationOneofCase.RollBackConfig =>
            new(command.OperationCase, StateHash.Of(command.RollBackConfig.Prefix)),
        _ => new(command.OperationCase, 0),
    };

    private static Fingerprint Of(Command command, HoldingKind kind, string name) =>
        new(command.OperationCase, Of(kind, name).Value);

    private static ulong Of(AcquireLock acquire)
    {
        StateHash hash = Of(acquire.Kind, acquire.Name);
        foreach (AlsoAcquire also in acquire.Also)
            hash.Add(Of(also.Kind, also.Name).Value);
        return hash.Value;
    }

    private static StateHash Of(HoldingKind kind, string name)
    {
        var hash = new StateHash(StateHash.Of(name));
        hash.Add((long)kind);
        return hash;
    }

    public bool Matches(Fingerprint repeated) =>
        this == repeated || (this == AnyAcquire && repeated.Kind == AnyAcquire.Kind);
}

/// <param name="WaitIndex">The log index of the acquire, while it waits; then 0.</param>
internal readonly record struct StoredRequest(
    long RequestId, Fingerprint Fingerprint, OperationResult Result, long WaitIndex);

/// <summary>
/// A session's memory of its requests, by request id (rule 14). Invariant: ids strictly increase, and none is below
/// <see cref="AnsweredBelow"/>.
/// </summary>
/// <remarks>Ids come almost in order and leave in order: a window on an array, so that both cost next to nothing.</remarks>
internal sealed class RequestTable
{
    private const int KeptCapacityMax = 64;

    private StoredRequest[] _items = [];
    private int _start;

    public int Count { get; private set; }

    /// <summary>The client has the answers to all below; only grows.</summary>
    public long AnsweredBelow { get; private set; }

    public ReadOnlySpan<StoredRequest> Items => _items.AsSpan(_start, Count);

    public void Forget(long answeredBelow)
    {
        if (answeredBelow <= AnsweredBelow)
            return;
        AnsweredBelow = answeredBelow;
        int forgotten = 0;
        while (forgotten < Count && _items[_start + forgotten].RequestId < answeredBelow)
            forgotten++;
        _start += forgotten;
        Count -= forgotten;
        if (Count > 0)
            return;
        _start = 0;
        if (_items.Length > KeptCapacityMax)
            _items = [];
    }

    public bool TryGet(long requestId, out StoredRequest stored)
    {
        int slot = Find(requestId);
        stored = slot < 0 ? default : _items[_start + slot];
        return slot >= 0;
    }

    public void Add(in StoredRequest request)
    {
        int slot = ~Find(request.RequestId);
        if (slot < 0 || request.RequestId < AnsweredBelow)
            throw new InvalidOperationException($"Request {request.RequestId} was answered already.");
        if (_start + Count == _items.Length)
            MakeRoom();
        Items[slot..].CopyTo(_items.AsSpan(_start + slot + 1));
        _items[_start + slot] = request;
        Count++;
    }

    /// <summary>The request's result is final now; nothing, if the client has said that it no longer asks.</summary>
    public void Complete(long requestId, OperationResult result)
    {
        int slot = Find(requestId);
        if (slot >= 0)
            _items[_start + slot] = _items[_start + slot] with { Result = result, WaitIndex = 0 };
    }

    private void MakeRoom()
    {
        StoredRequest[] roomy = _start > _items.Length / 2 ? _items : new StoredRequest[Math.Max(4, _items.Length * 2)];
        Items.CopyTo(roomy);
        _items = roomy;
        _start = 0;
    }

    // The slot of the id, or the complement of where it would be.
    private int Find(long requestId)
    {
        int low = 0;
        int high = Count - 1;
        if (high >= 0 && _items[_start + high].RequestId < requestId)
            return ~Count;
        while (low <= high)
        {
            int middle = (low + high) >>> 1;
            long found = _items[_start + middle].RequestId;
            if (found == requestId)
                return middle;
            if (found < requestId)
                low = middle + 1;
            else
                high = middle - 1;
        }
        return ~low;
    }
}
