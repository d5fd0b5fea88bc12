using Coordinator.Grains.Storage;
using Coordinator.Replica.Storage;
using Coordinator.Tests.Postgres;

namespace Coordinator.Tests.Storage;

/// <summary>The file beside the silo, and what it knows of the server.</summary>
public sealed class WitnessFileTests(PostgresServer server) : StorageTest(server), IDisposable
{
    private static readonly Guid StorageId = Guid.NewGuid();

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("witness-");

    private WitnessFile File => new(Path.Combine(_folder.FullName, "within"), StorageId);

    private string Name => Path.Combine(_folder.FullName, "within", $"{StorageId}");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void What_was_written_last_is_read()
    {
        Assert.Null(File.Read());
        foreach (string? verdict in (string?[])[null, "It went back:\n two lines."])
        {
            var witness = new StorageWitness(new StorageMark(StorageId, 7, 9), new DatabaseMoment(-5, 3, 1L << 40), verdict);
            File.Write(witness);
            Assert.Equal(witness with { Verdict = verdict?.Replace('\n', ' ') }, File.Read());
        }
    }

    [Fact]
    public void A_write_that_was_cut_short_leaves_the_one_before()
    {
        var witness = new StorageWitness(new StorageMark(StorageId, 7, 9), default);
        File.Write(witness);
        System.IO.File.WriteAllText(Name + ".new", "Coordinator wit");
        Assert.Equal(witness, File.Read());
        File.Write(witness with { Verdict = "another" });
        Assert.Equal("another", File.Read()!.Verdict);
    }

    [Fact]
    public void Every_changed_byte_and_every_cut_is_noticed()
    {
        File.Write(new StorageWitness(new StorageMark(StorageId, 7, 9), new DatabaseMoment(1, 2, 3), "why"));
        byte[] bytes = System.IO.File.ReadAllBytes(Name);
        for (int i = 0; i < bytes.Length; i++)
        {
            byte[] changed = [.. bytes];
            changed[i] ^= 1;
            System.IO.File.WriteAllBytes(Name, changed);
            Assert.Throws<CorruptRowException>(() => File.Read());
            System.IO.File.WriteAllBytes(Name, bytes[..i]);
            Assert.Throws<CorruptRowException>(() => File.Read());
        }
    }

    [Fact]
    public async Task Any_role_may_read_where_the_servers_log_stands_and_it_only_goes_on()
    {
        DatabaseMoment before = await ServerHistory.ReadMomentAsync(Admin);
        await ExecuteAsync("CREATE ROLE nobody_in_particular; CREATE TABLE something AS SELECT 1 AS one; SET ROLE nobody_in_particular");
        DatabaseMoment now = await ServerHistory.ReadMomentAsync(Admin);
        await ExecuteAsync("RESET ROLE; DROP ROLE nobody_in_particular");
        Assert.True(now.Continues(before));
        Assert.True(now.Lsn > before.Lsn, $"{now} after {before}");
        Assert.False(before.Continues(now));
        Assert.Equal(1, now.Timeline);
    }

    [Fact]
    public async Task Sightings_are_stored_with_a_write_and_verified_when_they_are_loaded()
    {
        PeerDatabase database = await OpenBootstrappedAsync();
        LoadedPeer peer = await ActivateAsync(database);
        Assert.Empty(peer.Sightings);
        PeerSighting[] seen = [new(new(2), new(Guid.NewGuid(), 3, 4)), new(new(5), new(Guid.NewGuid(), 1L << 40, 0))];
        await database.WriteAsync(Write(peer, 1, null, Entry(11)) with { Sightings = seen });
        await database.WriteAsync(Write(peer, 2, null, Entry(12)));
        LoadedPeer again = await ActivateAsync(database);
        Assert.Equal(seen, again.Sightings);
        Assert.NotEqual(0, again.Moment.System);

        await ExecuteAsync("UPDATE coordinator.peer SET sightings = set_byte(sightings, 3, 1) WHERE peer_id = 1");
        ActivationResult damaged = await database.ActivateAsync(peer.Key, "test", CancellationToken.None);
        Assert.Contains("sightings", Assert.IsType<ActivationResult.Corrupt>(damaged).Row, StringComparison.Ordinal);
    }
}
