using System.Collections.Concurrent;
using Coordinator.Contracts;
using Coordinator.Grains;
using Coordinator.Tests.Postgres;

namespace Coordinator.Tests.Grains;

/// <summary>Many groups on three silos: who leads them from the beginning, and after a silo was away.</summary>
[Collection(PostgresCollection.Name)]
public sealed class LeaderSpreaderTests(PostgresServer server) : IAsyncLifetime
{
    private const int Groups = 60;
    private const int Share = Groups / 3;
    private const int LeaderSpread = 3045;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Never = TimeSpan.FromDays(1);

    private readonly ConcurrentDictionary<int, int> _events = [];
    private readonly SilosInMemory _silos = new(server) { Groups = _ => Groups, ElectionTicks = 50 };
    private volatile bool _isLate = true;

    public Task InitializeAsync()
    {
        _silos.Logs = new EventLog(_events);
        return Task.CompletedTask;
    }

    public async Task DisposeAsync() => await _silos.EndAsync();

    [Fact]
    public async Task A_silo_that_comes_to_its_peers_late_is_left_its_part_and_no_leader_has_to_move()
    {
        (_silos.FirstTurn, _silos.SpreadInterval) = (Never, Never);
        await FoundWithoutCAsync();
        await UntilAsync(() => LedBy("a", "a") == Share && LedBy("a", "b") == Share);
        Assert.All(_silos.On("a").Gateways, gateway => Assert.NotEqual("c", LeaderOf(gateway)));

        _isLate = false;
        await _silos.Joined("c").WaitAsync(Patience);
        await EvenAsync();
    }

    [Fact]
    public async Task A_silo_that_dies_before_it_has_come_to_its_peers_is_waited_for_no_longer()
    {
        (_silos.FirstTurn, _silos.SpreadInterval) = (Never, Never);
        await FoundWithoutCAsync();
        await UntilAsync(() => LedBy("a", "a") == Share && LedBy("a", "b") == Share);
        await _silos.StopAsync("c");
        await UntilAsync(() => _silos.On("a").Gateways.All(gateway => LeaderOf(gateway) is not null));
    }

    [Fact]
    public async Task A_silo_that_is_up_and_never_comes_to_its_peers_is_waited_for_a_while()
    {
        (_silos.FirstTurn, _silos.SpreadInterval) = (TimeSpan.FromSeconds(1), Never);
        await FoundWithoutCAsync();
        await UntilAsync(() => _silos.On("a").Gateways.All(gateway => LeaderOf(gateway) is not null));
        Assert.Equal(0, LedBy("a", "c"));
    }

    [Fact]
    public async Task A_silo_that_comes_back_gets_its_part_and_hardly_any_leader_moves_that_need_not()
    {
        _isLate = false;
        _silos.SpreadInterval = TimeSpan.FromSeconds(1);
        await _silos.StartAsync(SilosInMemory.Ids);
        await Task.WhenAll(SilosInMemory.Ids.Select(_silos.Joined)).WaitAsync(Patience);
        await EvenAsync();
        await _silos.StopAsync("c");
        await UntilAsync(() => LedBy("a", "a") + LedBy("a", "b") == Groups);
        _events.Clear();

        await _silos.StartAsync("c");
        await _silos.Joined("c").WaitAsync(Patience);
        await EvenAsync();
        await UntilAsync(() => _events.GetValueOrDefault(LeaderSpread) >= Share);
        Assert.InRange(_events[LeaderSpread], Share, Share + 5);
    }

    /// <summary>All have links with each other; a and b run their peers, and c hears nothing of the cluster while it is late.</summary>
    private async Task FoundWithoutCAsync()
    {
        _silos.Interfere = (own, _, request) =>
            own == "c" && _isLate && request.Bootstrap is not null ? SilosInMemory.Failure(ErrorCode.NoQuorum) : null;
        await _silos.StartAsync(SilosInMemory.Ids);
        await Task.WhenAll(_silos.Joined("a"), _silos.Joined("b")).WaitAsync(Patience);
    }

    /// <summary>As all silos see it.</summary>
    private Task EvenAsync() => UntilAsync(
        () => SilosInMemory.Ids.All(silo => SilosInMemory.Ids.All(other => LedBy(silo, other) == Share)));

    private int LedBy(string asked, string silo) => _silos.On(asked).Gateways.Count(gateway => LeaderOf(gateway) == silo);

    /// <summary>Null: none is known.</summary>
    private static string? LeaderOf(GroupGateway gateway)
    {
        GroupStatus status = gateway.GetStatus();
        return status.Peers.FirstOrDefault(peer => peer.PeerId == status.LeaderId)?.Silo;
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (!condition())
            await Task.Delay(20, limit.Token);
    }
}
