using Coordinator.Contracts;
using Coordinator.Simulation.Cluster;
using Coordinator.Simulation.Engine;
using Google.Protobuf;

namespace Coordinator.Simulation.Clients;

/// <summary>
/// Asks as a gateway would: whoever is known to lead, and nobody while none is. A request of its own makes a session that
/// nobody keeps alive.
/// </summary>
internal sealed class Prober(World world, Prng random)
{
    private const long RetryUs = 50_000;
    private const long PatienceUs = 3_000_000;

    private int _attempt;

    /// <summary>The last request was answered.</summary>
    public bool IsServed { get; private set; }

    public void Ask()
    {
        IsServed = false;
        Try(random.Bytes(16), random.Between(600, 3_000) * 1_000);
    }

    public void GiveUp() => _attempt++;

    private void Try(byte[] nonce, long ttlUs)
    {
        int attempt = ++_attempt;
        PeerProcess? leader = world.Peers.SelectMany(peer => peer.Processes).Where(process => process is { IsLeader: true, IsPaused: false })
            .MaxBy(process => process.Machine!.Raft.Term);
        if (leader is not null)
        {
            var command = new Command { CreateSession = new CreateSession { Nonce = ByteString.CopyFrom(nonce), TtlUs = ttlUs } };
            leader.Submit(new ClientCommandTicket(
                command, command.ToByteArray(), (_, answer) =>
                {
                    IsServed |= attempt == _attempt && answer.Result.Error == ErrorCode.Ok;
                    TryAgain(attempt, nonce, ttlUs, RetryUs);
                }));
        }
        TryAgain(attempt, nonce, ttlUs, leader is null ? RetryUs : PatienceUs);
    }

    private void TryAgain(int attempt, byte[] nonce, long ttlUs, long afterUs) => world.Events.After(afterUs, () =>
    {
        if (attempt == _attempt && !IsServed)
            Try(nonce, ttlUs);
    });
}
