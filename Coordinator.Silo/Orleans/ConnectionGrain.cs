using System.Diagnostics.CodeAnalysis;
using Coordinator.Contracts;
using Coordinator.Contracts.Orleans;
using Coordinator.Grains.Orleans;
using Coordinator.Silo.Http;
using Coordinator.Silo.Wire;
using Microsoft.Extensions.Options;
using Orleans;
using Orleans.Concurrency;
using Orleans.Placement;
using Orleans.Runtime;

namespace Coordinator.Silo.Orleans;

/// <summary>
/// The silo's end of a client's connection, in the silo of the client itself if that can be. What it carries is served as
/// that of any native client. Invariant: a client that asks for nothing any more is given up, with all that it has open.
/// </summary>
[SuppressMessage("Reliability", "CA1001", Justification = "OnDeactivateAsync disposes of it.")]
[Reentrant]
[PreferLocalPlacement]
[GrainType("coordinator.connection")]
internal sealed class ConnectionGrain(
    OrleansGroups groups, IOptions<HttpInterfaceOptions> options, IHostApplicationLifetime application,
    ILoggerFactory logs)
    : Grain, IConnectionGrain
{
    private static readonly TimeSpan PollPatience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan SilenceMax = TimeSpan.FromSeconds(20);

    private readonly TimeProvider _time = TimeProvider.System;
    private readonly ConnectionSocket _socket = new();

    // A silo that stops waits for all open calls of its grains: nobody may wait here for a message any more.
    private readonly CancellationTokenSource _stopping =
        CancellationTokenSource.CreateLinkedTokenSource(application.ApplicationStopping);
    private Task? _running;
    private ITimer? _watch;
    private long _sent;
    private long _received;
    private int _polls;
    private long _polledAt;

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        if (_watch is not null)
            await _watch.DisposeAsync();
        if (_running is { } running)
            await running.WaitAsync(cancellationToken);
        _socket.Dispose();
    }

    public async Task SendAsync(long number, byte[] message)
    {
        Check(number, ref _sent);
        _running ??= Open();
        await _socket.GiveAsync(message);
    }

    public async Task<byte[]?> ReceiveAsync(long number)
    {
        // The client asks for it before its first message may have come.
        if (number != _received)
            throw Broken(number, _received);
        _polls++;
        try
        {
            // Not cancelled when the silo stops: the connection says goodbye then, and ends.
            byte[]? message = await _socket.TakeAsync(PollPatience, _time);
            if (message is not null)
                _received++;
            return message;
        }
        finally
        {
            _polls--;
            _polledAt = _time.GetTimestamp();
        }
    }

    public Task CloseAsync()
    {
        _socket.EndInput();
        DeactivateOnIdle();
        return Task.CompletedTask;
    }

    private Task Open()
    {
        _polledAt = _time.GetTimestamp();
        _watch = _time.CreateTimer(_ => GiveUpIfSilent(), null, SilenceMax / 4, SilenceMax / 4);
        string id = this.GetPrimaryKey().ToString();
        // Beside the grain's scheduler, and nobody's call: it goes on until the connection ends.
        using AsyncFlowControl? flow = ExecutionContext.IsFlowSuppressed() ? null : ExecutionContext.SuppressFlow();
        return Task.Run(() => RunAsync(id));
    }

    private async Task RunAsync(string id)
    {
        ILogger logger = logs.CreateLogger("Coordinator.Silo.Orleans");
        try
        {
            Guid clusterId = await groups.Founded.WaitAsync(_stopping.Token);
            var welcome = new Welcome
            {
                ClusterId = clusterId.ToString(),
                Groups = groups.Gateways.Count,
                SiloId = id,
                ProtocolVersion = Limits.ProtocolVersion,
            };
            WireSettings settings = new(new CheckedGateway(groups.Gateways, logger), welcome, options.Value, _time, logger);
            using WireConnection connection = new(_socket, settings, id, caller: "orleans");
            await connection.RunAsync(_stopping.Token);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The silo stops, before the groups were found.
        }
        catch (Exception e)
        {
            logger.WireFailed(e, id);
        }
        finally
        {
            _socket.Abort();
        }
    }

    /// <summary>A client that has died says nothing; one that lives always waits for something here.</summary>
    private void GiveUpIfSilent()
    {
        if (Volatile.Read(ref _polls) == 0 && _time.GetElapsedTime(Volatile.Read(ref _polledAt)) > SilenceMax)
            _socket.Abort();
    }

    private static void Check(long number, ref long expected)
    {
        if (number != expected)
            throw Broken(number, expected);
        expected++;
    }

    private static InvalidOperationException Broken(long number, long expected) =>
        new($"Message {number} of a connection in which {expected} is the next: one was lost, or the silo was.");
}
