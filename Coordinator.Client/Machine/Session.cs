using Coordinator.Contracts;

namespace Coordinator.Client.Machine;

internal enum SessionPhase
{
    /// <summary>Asked for; the nonce makes repeats safe.</summary>
    Opening,

    /// <summary>New requests go here.</summary>
    Open,

    /// <summary>Kept alive for what it still holds and waits for.</summary>
    Draining,

    /// <summary>Lost or ended: for good.</summary>
    Over,
}

/// <summary>A request id that was given out. Closed: its answer is known, or nobody wants it any more.</summary>
internal sealed class RequestSlot(long requestId, TimeSpan since)
{
    public long RequestId { get; } = requestId;

    public TimeSpan Since { get; } = since;

    public bool IsClosed { get; set; }
}

/// <summary>
/// One session of the client. Invariants: request ids count up from 1 and are never given out twice; every id below
/// <see cref="AnsweredBelow"/> is closed, so that the cluster may forget its result and refuses to execute it late
/// (rule 14); once over, never alive again.
/// </summary>
internal sealed class Session(byte[] nonce, long correlationId)
{
    // The cluster keeps the results of 1,024 request ids of a session. Some are kept free for cancels and releases,
    // which must never have to wait.
    private const int WindowMax = 960;

    // An acquire that waits for long holds answeredBelow back. With this many ids behind it, the session drains and
    // the next one takes over, before the cluster has to refuse.
    private const int PinnedWindowMin = 512;
    private static readonly TimeSpan PinnedAfter = TimeSpan.FromSeconds(1);

    private readonly Queue<RequestSlot> _window = new();
    private long _nextRequestId = 1;

    public long Id { get; set; }

    public SessionPhase Phase { get; set; } = SessionPhase.Opening;

    public byte[] Nonce { get; } = nonce;

    /// <summary>Of the create request.</summary>
    public long CorrelationId { get; } = correlationId;

    /// <summary>
    /// The first time it was asked for; null before. An answer may belong to that first request, so its life counts
    /// from there.
    /// </summary>
    public ClientInstant? FirstSent { get; set; }

    public bool IsCreateOnWire { get; set; }

    public int CreateFailures { get; set; }

    public TimeSpan CreateRetryAt { get; set; }

    public TimeSpan Ttl { get; set; }

    public SessionLifetime? Lifetime { get; set; }

    public TimeSpan KeepAliveSentAt { get; set; } = TimeSpan.MinValue;

    public LinkedList<Holding> Holdings { get; } = new();

    /// <summary>Operations of the session that have no answer yet.</summary>
    public int OpenOperations { get; set; }

    /// <summary>Tells of holdings that end against their holders' will; from the first grant on.</summary>
    public SessionStream? Observer { get; set; }

    /// <summary>What the observer was told last, and the log index that it was so at; null: nothing yet.</summary>
    public (long Index, Coordinator.Contracts.SessionNotices Notices)? Told { get; set; }

    /// <summary>The host's own side of this session.</summary>
    public object? Host { get; set; }

    public bool IsAlive => Phase is SessionPhase.Open or SessionPhase.Draining;

    public bool HasRoom => Window < WindowMax;

    /// <summary>The client has the answers to all ids below this one.</summary>
    public long AnsweredBelow
    {
        get
        {
            while (_window.TryPeek(out RequestSlot? slot) && slot.IsClosed)
                _window.Dequeue();
            return _window.TryPeek(out RequestSlot? open) ? open.RequestId : _nextRequestId;
        }
    }

    private long Window => _nextRequestId - AnsweredBelow;

    public RequestSlot NextSlot(TimeSpan now)
    {
        RequestSlot slot = new(_nextRequestId++, now);
        _window.Enqueue(slot);
        return slot;
    }

    public bool IsPinned(TimeSpan now) =>
        Window >= PinnedWindowMin && _window.TryPeek(out RequestSlot? open) && now - open.Since > PinnedAfter;

    /// <summary>
    /// When the next keep-alive goes out: a third of the life after the last answered one was sent, then again and
    /// again until one is answered.
    /// </summary>
    public TimeSpan KeepAliveDueIn(ClientInstant now)
    {
        TimeSpan untilThird = Lifetime!.Validity / 3 - now.Since(Lifetime.Start);
        if (KeepAliveSentAt == TimeSpan.MinValue)
            return untilThird;
        TimeSpan untilRetry = Lifetime.Validity / 9 - (now.Monotonic - KeepAliveSentAt);
        return untilThird > untilRetry ? untilThird : untilRetry;
    }

    public Command MakeCreate(string metadata) => new()
    {
        CreateSession = new CreateSession
        {
            Nonce = Google.Protobuf.ByteString.CopyFrom(Nonce),
            TtlUs = (long)Ttl.TotalMicroseconds,
            Metadata = metadata,
        },
    };
}
