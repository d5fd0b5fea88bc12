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
        new(Key(1), database, "test", input => _posted.Writer.TryWrite(input), time, NullLogger.Instance);

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
}
