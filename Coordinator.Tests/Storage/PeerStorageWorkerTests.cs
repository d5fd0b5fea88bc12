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

    private PeerStorageWorker Worker(PeerDatabase database, TimeProvider time, IWitness? witness = null) =>
        new(Key(1), database, witness, "test", input => _posted.Writer.TryWrite(input), time, NullLogger.Instance);

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

    [Theory]
    [InlineData(7, 8, "The database went back in time: it has activation 7")]
    [InlineData(7, 7, "The database went back in time: it has activation 7")]
    [InlineData(7, 6, "The database went back in time: it has activation 7")]
    [InlineData(8, 9, "The database went back in time: it has activation 8")]
    [InlineData(8, 8, "Activation 8 of this peer has taken over")]
    [InlineData(9, 6, "Activation 9 of this peer has taken over")]
    public async Task A_witness_that_holds_more_than_it_is_given_is_asked_after_before_the_peer_takes_part(
        long stored, long held, string saying)
    {
        PeerDatabase database = await OpenBootstrappedAsync();
        var own = new StorageMark(Guid.NewGuid(), Epoch: 7, WriteSeq: 10);
        await ExecuteAsync($"UPDATE coordinator.peer SET epoch = {stored}");
        await using PeerStorageWorker worker = Worker(
            database, TimeProvider.System, new WitnessOfAnother(own with { Epoch = held, WriteSeq = 11 }));

        worker.Begin(new ReplicaEffects { RecordWitness = new StorageWitness(own, default) });

        string why = await PostedAsync() switch
        {
            PeerInput.WentBack found => found.Why,
            PeerInput.Halt { State: ServiceState.Stopped } stopped => stopped.Why,
            var other => $"{other}",
        };
        Assert.StartsWith(saying, why, StringComparison.Ordinal);
        Assert.Equal(own, Assert.IsType<PeerInput.WitnessRecorded>(await PostedAsync()).Mark);

        // What was found is recorded, whoever wrote before.
        worker.Begin(new ReplicaEffects { RecordWitness = new StorageWitness(own, default, why) });
        Assert.IsType<PeerInput.WitnessRecorded>(await PostedAsync());
    }

    /// <summary>Holds what another activation has written.</summary>
    private sealed class WitnessOfAnother(StorageMark held) : IWitness
    {
        public Task<StorageWitness?> ReadAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task PrepareAsync(DatabaseMoment moment, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<StorageMark> WriteAsync(StorageWitness witness, CancellationToken cancellationToken) => Task.FromResult(held);

        public Task DeleteAsync(CancellationToken cancellationToken) => throw new NotSupportedException();
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
