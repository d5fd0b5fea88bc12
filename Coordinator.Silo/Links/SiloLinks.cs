using System.Net;
using Coordinator.Contracts;
using Coordinator.Replica;
using Google.Protobuf;

namespace Coordinator.Silo.Links;

/// <summary>
/// The links of one silo with all others of its cluster: one WebSocket for each pair carries the messages of all groups,
/// snapshots, forwarded requests and facts. Invariant: nothing that is called here ever waits for another silo.
/// </summary>
public sealed class SiloLinks : IAsyncDisposable
{
    private readonly LinkContext _context;
    private readonly Dictionary<string, SiloLink> _links;
    private readonly LinkEndpoint _endpoint;
    private readonly CancellationTokenSource _stopping = new();
    private Task _running = Task.CompletedTask;

    /// <exception cref="ArgumentException">An option cannot be; the message says which and why.</exception>
    public SiloLinks(LinkOptions options, LinkHandlers handlers, TimeProvider time, ILoggerFactory loggers)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(handlers);
        options.Check();
        _context = new LinkContext(options, handlers, time, loggers.CreateLogger("Coordinator.Silo.Links"));
        _links = options.Peers.ToDictionary(
            peer => peer.SiloId, peer => new SiloLink(_context, peer), StringComparer.Ordinal);
        _endpoint = new LinkEndpoint(_context, _links, loggers, _stopping.Token);
    }

    /// <summary>As it is after <see cref="StartAsync"/>: with the port that port 0 has become.</summary>
    public IPEndPoint Address => _endpoint.Address;

    /// <summary>
    /// Empty until the cluster has been bootstrapped. Silos with two different ones don't link; a link that is open already
    /// is not asked again: see <see cref="SiloFacts.ClusterId"/>.
    /// </summary>
    public Guid ClusterId
    {
        get => _context.ClusterId.IsEmpty ? Guid.Empty : new Guid(_context.ClusterId.Span);
        set => _context.ClusterId = ByteString.CopyFrom(value.ToByteArray());
    }

    /// <exception cref="IOException">The address cannot be had.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await _endpoint.StartAsync(cancellationToken);
        _running = Task.WhenAll(_links.Values.Select(
            link => Task.Run(() => link.RunAsync(_stopping.Token), CancellationToken.None)));
    }

    public LinkStatus StatusOf(string silo) => LinkWith(silo).Status;

    /// <summary>
    /// Sends a peer's message. What can't be sent is dropped and reported, on the caller's own thread, through
    /// <see cref="LinkHandlers.Unreachable"/> and <see cref="LinkHandlers.SnapshotFailed"/>.
    /// </summary>
    public void Send(string silo, Envelope envelope)
    {
        ArgumentNullException.ThrowIfNull(envelope);
        LinkWith(silo).Send(envelope);
    }

    /// <summary>Tells all other silos, now and at the beginning of each link from now on.</summary>
    /// <param name="facts">Not changed by anyone any more.</param>
    public void Tell(SiloFacts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        foreach (SiloLink link in _links.Values)
            link.Tell(facts);
    }

    /// <summary>
    /// Forwards a request, once, and gives its answers as they come: the last one says so. A lost link is a failure with
    /// an unknown outcome; a link that is not there, one with which nothing was done.
    /// </summary>
    /// <param name="abandoned">The caller has left: the other silo is told. What was asked for stays.</param>
    public IAsyncEnumerable<ForwardedAnswer> ForwardAsync(
        string silo, ForwardedRequest request, CancellationToken abandoned) =>
        LinkWith(silo).ForwardAsync(request, abandoned);

    /// <summary>As <see cref="ForwardAsync"/>, for requests with one answer.</summary>
    public async Task<ForwardedAnswer> AskAsync(string silo, ForwardedRequest request, CancellationToken abandoned)
    {
        await foreach (ForwardedAnswer answer in ForwardAsync(silo, request, abandoned))
            return answer;
        return ForwardedCall.Failure(ErrorCode.OutcomeUnknown, $"Silo {silo} ended without an answer.");
    }

    /// <summary>Closes all links, so that the others know at once; what waits is sent first, if it goes quickly.</summary>
    public async Task StopAsync()
    {
        await _stopping.CancelAsync();
        await _running;
        await _endpoint.StopAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await _endpoint.DisposeAsync();
        _stopping.Dispose();
    }

    private SiloLink LinkWith(string silo) => _links.TryGetValue(silo, out SiloLink? link)
        ? link
        : throw new ArgumentException($"Silo {silo} is not in the configuration.", nameof(silo));
}
