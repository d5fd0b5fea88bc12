using System.Globalization;
using Coordinator.Client;
using Npgsql;
using Xunit.Abstractions;
using ErrorCode = Coordinator.Contracts.ErrorCode;

namespace Coordinator.Tests.EndToEnd;

/// <summary>
/// Peers of a running cluster are replaced, added and removed while a client writes, which notices none of it. Each test
/// leaves the silos a, b and c with a peer each.
/// </summary>
[Collection(SiloProcesses.Name)]
public sealed class ClusterMembershipTests(RunningCluster cluster, ITestOutputHelper output) : IClassFixture<RunningCluster>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly FencedLedger _ledger = new();
    private readonly WriteGaps _gaps = new();

    [Fact]
    public async Task A_database_that_is_deleted_for_good_is_made_up_for_by_one_command()
    {
        await using CoordinatorClient client = cluster.Client();
        await using var writing = new Writing(client, _ledger, _gaps);
        await _gaps.ProgressAsync(50, Patience);
        int lost = await cluster.LeaderAsync();
        long peer = await PeerOfAsync(client, lost);
        _gaps.Begin();
        await cluster.Silo(lost).StopAsync();
        Directory.Delete(cluster.Home(lost).DataFolder, recursive: true);
        await cluster.Start(lost).WroteAsync("has lost its peer");
        var nonce = Guid.NewGuid();

        long replacement = await client.Cluster.AddPeerAsync(replaces: peer, nonce: nonce);

        Assert.True(replacement > peer);
        Assert.Equal(replacement, await client.Cluster.AddPeerAsync(replaces: peer, nonce: nonce));
        string[] silos = [.. cluster.Everyone.Where(silo => silo < 3).Select(RunningCluster.IdOf)];
        await cluster.AwaitVotersAsync(3, 1, silos);
        Assert.Equal(replacement, await PeerOfAsync(client, lost));
        await _gaps.ProgressAsync(50, Patience);
        // The new one is needed for the quorum from here on.
        int other = (lost + 1) % 3;
        await cluster.KillAsync(other);
        await _gaps.ProgressAsync(50, Patience);
        cluster.Start(other);
        await cluster.AwaitVotersAsync(3, 1, silos);
        await writing.EndAsync();
        await CheckAsync();
    }

    [Fact]
    public async Task Three_silos_become_five_that_survive_two_and_three_again()
    {
        await using CoordinatorClient client = cluster.Client();
        await using var writing = new Writing(client, _ledger, _gaps);
        await _gaps.ProgressAsync(50, Patience);
        _gaps.Begin();
        await cluster.ExtendAsync(2);
        long[] added = [await AddAsync(client, "d"), await AddAsync(client, "e")];
        await cluster.AwaitVotersAsync(5, 2, "a", "b", "c", "d", "e");
        await Task.WhenAll(cluster.KillAsync(0), cluster.KillAsync(1));
        await _gaps.ProgressAsync(50, Patience);
        cluster.Start(0);
        cluster.Start(1);
        await cluster.AwaitVotersAsync(5, 2, "a", "b", "c", "d", "e");
        foreach (long peer in added)
            await client.Cluster.RemovePeerAsync(peer);
        await cluster.AwaitVotersAsync(3, 1, "a", "b", "c");
        foreach (int silo in (int[])[3, 4])
        {
            await RunningCluster.UntilAsync(async () => await StoredAsync(silo) == 0, $"silo {silo} has forgotten its peer");
            await using CoordinatorClient through = cluster.Client(silo);
            await through.Configuration.PutAsync("through", RunningCluster.IdOf(silo));
        }
        await writing.EndAsync();
        await CheckAsync();
    }

    /// <summary>The change before is perhaps not finished, or the leader's link with the silo not there yet.</summary>
    private static async Task<long> AddAsync(CoordinatorClient client, string silo)
    {
        var nonce = Guid.NewGuid();
        long added = 0;
        await RunningCluster.UntilAsync(
            async () =>
            {
                try
                {
                    added = await client.Cluster.AddPeerAsync(silo: silo, nonce: nonce);
                }
                catch (CoordinatorException refused) when (
                    refused.Code is ErrorCode.PeerChangeInProgress or ErrorCode.SiloUnreachable)
                {
                    return false;
                }
                return true;
            },
            $"a peer is added on silo {silo}");
        return added;
    }

    private static async Task<long> PeerOfAsync(CoordinatorClient client, int silo) =>
        (await client.Cluster.DescribeAsync()).Peers.Single(peer => peer.Silo == RunningCluster.IdOf(silo)).PeerId;

    private async Task<long> StoredAsync(int silo)
    {
        await using NpgsqlConnection connection = await cluster.Home(silo).ConnectAsync();
        await using var count = new NpgsqlCommand(
            "SELECT (SELECT count(*) FROM coordinator.peer) + (SELECT count(*) FROM coordinator.log)", connection);
        return (long)(await count.ExecuteScalarAsync())!;
    }

    private async Task CheckAsync()
    {
        output.WriteLine($"{_ledger.Writes} writes, at most {_gaps.Longest.TotalMilliseconds:F0} ms without one");
        foreach (int silo in cluster.Everyone)
        {
            await using CoordinatorClient direct = cluster.Client(silo);
            foreach (string key in _ledger.Keys)
            {
                ConfigEntry? entry = await direct.Configuration.GetAsync(key);
                _ledger.Check(
                    key, _ledger.AcknowledgedOf(key), entry is null ? null : long.Parse(entry.GetString(), CultureInfo.InvariantCulture),
                    entry?.Version ?? 0);
            }
        }
        Assert.Empty(_ledger.Violations);
    }

    /// <summary>A client's writers. Invariant: each write is asked for once, and an error ends the test.</summary>
    private sealed class Writing : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stopping = new();
        private readonly Task[] _writers;

        public Writing(CoordinatorClient client, FencedLedger ledger, WriteGaps gaps) =>
            _writers = [.. Enumerable.Range(0, 3).Select(writer =>
                Task.Run(() => WriteAsync(client, $"members/{Guid.NewGuid():N}/{writer}", ledger, gaps)))];

        public async Task EndAsync()
        {
            await _stopping.CancelAsync();
            await Task.WhenAll(_writers).WaitAsync(Patience);
        }

        public async ValueTask DisposeAsync()
        {
            await _stopping.CancelAsync();
            await Task.WhenAll(_writers).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _stopping.Dispose();
        }

        private async Task WriteAsync(CoordinatorClient client, string key, FencedLedger ledger, WriteGaps gaps)
        {
            for (long value = 1; !_stopping.IsCancellationRequested; value++)
            {
                ledger.Attempt(key, value);
                await client.Configuration.PutAsync(
                    key, value.ToString(CultureInfo.InvariantCulture), cancellationToken: CancellationToken.None);
                ledger.Acknowledge(key, value);
                gaps.Acknowledged();
                // A person's pace: what is tested is the change of peers, on a machine that others use too.
                await Task.Delay(5);
            }
        }
    }
}
