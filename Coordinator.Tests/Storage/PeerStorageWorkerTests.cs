using System.Threading.Channels;
using Coordinator.Grains;
using Coordinator.Grains.Storage;
using Coordinator.Replica;
using Coordinator.Replica.Storage;
using Coordinator.Tests.Postgres;
using Microsoft.Extensions.Logging.Abstractions;

namespace Coordinator.Tests.Storage;

/// <summary>Whatever a replica asks of its storage is answered.</summary>
public sealed class PeerStorageWorkerTests(PostgresServer server) : StorageTest(server)
{
    private readonly Channel<PeerInput> _posted = Channel.CreateUnbounded<PeerInput>();

    private PeerStorageWorker Worker(PeerDatabase database, TimeProvider time) =>
        new(Key(1), database, witness: null, "test", input => _posted.Writer.TryWrite(input), time, NullLogger.Instance);

    private Task<PeerInput> PostedAsync() => _posted.Reader.ReadAsync().AsTask().WaitAsync(Patience);

    [Fact]
    public async Task A_write_that_contradicts_itself_stops_the_peer_instead_of_leaving_it_waiting()
    {
        PeerDatabase database = await OpenBootstrappedAsync();
        LoadedPeer peer = await ActivateAsync(database);
        await using PeerStorageWorker worker = Worker(database, TimeProvider.System);

        worker.Begin(new ReplicaEffects { Persist = Write(peer, 1, null, Entry(11), Entry(13)) });

        PeerInput.Halt halt = Assert.IsType<PeerInput.Halt>(await PostedAsync());
        Assert.Equal(ServiceState.Stopped, halt.State);
        Assert.Contains("entry 13 follows entry 11", halt.Why, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_epoch_that_cannot_be_read_is_answered_after_a_pause()
    {
        PeerDatabase database = await OpenBootstrappedAsync();
        await ExecuteAsync("ALTER TABLE coordinator.peer RENAME TO gone");
        var time = new NotedTimers();
        await using PeerStorageWorker worker = Worker(database, time);

        worker.Begin(new ReplicaEffects { ReadEpoch = 1 });

        Assert.False(Assert.IsType<PeerInput.EpochRead>(await PostedAsync()).Available);
        Assert.NotEqual(TimeSpan.Zero, Assert.Single(time.Pauses));
    }

    /// <summary>Notes how long a pause was asked for, and ends it at once.</summary>
    private sealed class NotedTimers : TimeProvider
    {
        public List<TimeSpan> Pauses { get; } = [];

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Pauses.Add(dueTime);
            return base.CreateTimer(callback, state, TimeSpan.Zero, period);
        }
    }
}
