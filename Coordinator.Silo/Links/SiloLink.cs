using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;
using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica;

namespace Coordinator.Silo.Links;

/// <summary>
/// This silo's link with one other, through all its connections. The silo whose id comes first opens it; the other one
/// knocks, with the same handshake, to say that it is there. So no two connections of a pair cross, and each process is
/// asked who it is before it is linked. Invariant: one connection at a time, and the host hears of its end before it
/// hears of the next.
/// </summary>
[SuppressMessage("Reliability", "CA1001", Justification = "It holds nothing unless its wait handle is used.")]
internal sealed class SiloLink(LinkContext context, LinkPeer peer)
{
    private readonly SemaphoreSlim _admission = new(1, 1);
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly LinkBackoff _backoff = new(context.Options.BackoffMin, context.Options.BackoffMax);
    private readonly LinkCounters _counters = new();
    private readonly Lock _telling = new();
    private volatile LinkConnection? _current;
    private SiloFacts? _facts;
    private long _reportedAt;

    public LinkStatus Status => _counters.Read(_current is not null);

    /// <summary>Sends a message, or drops it and says so; never waits.</summary>
    public void Send(Envelope envelope)
    {
        if (_current is { } connection && connection.TrySend(envelope))
            return;
        _counters.Dropped();
        if (envelope.Message.Type == MessageType.Snap)
            context.Handlers.SnapshotFailed(envelope);
        long now = context.Time.GetTimestamp(), last = Interlocked.Read(ref _reportedAt);
        if ((last == 0 || context.Time.GetElapsedTime(last, now) >= context.Options.UnreachableInterval)
            && Interlocked.CompareExchange(ref _reportedAt, now, last) == last)
            context.Handlers.Unreachable(peer.SiloId);
    }

    /// <summary>Tells the other silo now, and at the beginning of each connection from now on.</summary>
    public void Tell(SiloFacts facts)
    {
        lock (_telling)
        {
            _facts = facts;
            _current?.Tell(facts);
        }
    }

    public IAsyncEnumerable<ForwardedAnswer> ForwardAsync(ForwardedRequest request, CancellationToken abandoned) =>
        _current is { } connection
            ? connection.Forwards.AskAsync(request, abandoned)
            : new[] { NotReached(peer.SiloId) }.ToAsyncEnumerable();

    public static ForwardedAnswer NotReached(string silo) =>
        ForwardedCall.Failure(ErrorCode.NoQuorum, $"Silo {silo} is not reached; nothing was done.");

    /// <summary>Keeps the link open, or asks for it, until <paramref name="stopping"/>.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        LinkDialer dialer = new(context, peer);
        while (!stopping.IsCancellationRequested)
        {
            if (_current is { } connection)
                await connection.Ended;
            else
                await HandleAsync(await dialer.DialAsync(stopping), stopping);
            await PauseAsync(stopping);
        }
        if (_current is { } last)
        {
            last.Close();
            await last.Ended;
        }
    }

    /// <summary>A caller has proved that it is this silo: gives it a verdict, and lives through its connection.</summary>
    public async Task TakeAsync(
        LinkSession session, Func<(LinkRefusal, string), Task> tell, CancellationToken deadline, CancellationToken stopping)
    {
        Task running = Task.CompletedTask;
        await _admission.WaitAsync(deadline);
        try
        {
            (LinkRefusal Refusal, string) verdict = await JudgeAsync(session, stopping);
            await tell(verdict);
            if (verdict.Refusal == LinkRefusal.Accepted && session.Purpose == LinkPurpose.OpenLink)
                running = RunConnectionAsync(session, stopping);
            else if (verdict.Refusal == LinkRefusal.Accepted)
                _wake.Writer.TryWrite(true);
        }
        finally
        {
            _admission.Release();
        }
        await running;
    }

    // While a live process holds a silo's id, a second one is refused (rule 27). A dead one's link is not waited for.
    private async Task<(LinkRefusal, string)> JudgeAsync(LinkSession session, CancellationToken stopping)
    {
        if (stopping.IsCancellationRequested)
            return (LinkRefusal.SiloStopping, $"Silo {context.Options.SiloId} is stopping.");
        if (_current is not { } holder)
            return (LinkRefusal.Accepted, "");
        bool same = holder.Process == session.Process;
        if (!(same && session.Purpose == LinkPurpose.OpenLink) && await holder.IsAliveAsync(context.Options.AliveWait))
        {
            return same
                ? (LinkRefusal.Accepted, "")
                : (LinkRefusal.SiloIdTaken, $"Another process is silo {session.Silo}, and has just answered silo "
                    + $"{context.Options.SiloId}. Stop that one, or give this one an id of its own.");
        }
        holder.Abort(same ? "The other silo opens it anew." : "The other silo has been started anew.");
        await holder.Ended;
        return (LinkRefusal.Accepted, "");
    }

    private async Task RunConnectionAsync(LinkSession session, CancellationToken stopping)
    {
        LinkConnection connection = new(session, context, _counters);
        long since = context.Time.GetTimestamp();
        // Nobody tells it later facts before these.
        lock (_telling)
        {
            _current = connection;
            if (_facts is { } facts)
                connection.Tell(facts);
        }
        context.Log.LinkIsUp(peer.SiloId);
        context.Handlers.LinkUp(peer.SiloId);
        string reason = "It failed in this silo.";
        try
        {
            using CancellationTokenRegistration closing = stopping.UnsafeRegister(_ => connection.Close(), null);
            reason = await connection.RunAsync();
        }
        catch (Exception e)
        {
            // A handler's fault: logged here, since whoever waits for the connection only waits for its end.
            context.Log.LinkFailed(e, peer.SiloId);
        }
        _current = null;
        context.Handlers.LinkLost(peer.SiloId);
        if (context.Time.GetElapsedTime(since) >= context.Options.DeadAfter)
            _backoff.Reset();
        context.Log.LinkIsLost(peer.SiloId, reason);
        await connection.FinishAsync();
    }

    private async Task HandleAsync(DialOutcome outcome, CancellationToken stopping)
    {
        switch (outcome)
        {
            case DialOutcome.Agreed({ Purpose: LinkPurpose.OpenLink } session):
                await RunConnectionAsync(session, stopping);
                break;
            case DialOutcome.Refused(LinkRefusal refusal, string message, bool proved):
                if (context.Gate.Passes(peer.SiloId, refusal))
                    context.Log.RefusedBy(peer.SiloId, refusal, message);
                if (proved)
                    context.Handlers.Refused(peer.SiloId, refusal, message);
                break;
            case DialOutcome.NotReached(string reason):
                if (!stopping.IsCancellationRequested && context.Gate.Passes(peer.SiloId, LinkTrouble.NotReached))
                    context.Log.NotReached(peer.SiloId, peer.Address, reason);
                break;
        }
    }

    private async Task PauseAsync(CancellationToken stopping)
    {
        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        await Task.WhenAny(
            Task.Delay(_backoff.Next(), context.Time, over.Token),
            _wake.Reader.WaitToReadAsync(over.Token).AsTask());
        if (_wake.Reader.TryRead(out _))
            _backoff.Reset();
        await over.CancelAsync();
    }
}
