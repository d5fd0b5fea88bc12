using Coordinator.Replica;
using Coordinator.Replica.State;
using Coordinator.Simulation.Clients;
using Coordinator.Simulation.Engine;

namespace Coordinator.Simulation.Cluster;

/// <summary>What clients ask of this process, over the library's connections or without them.</summary>
internal sealed partial class PeerProcess
{
    private readonly List<SiloConnection> _connections = [];

    public void Submit(CommandTicket ticket) => Ask(machine => machine.Submit(ticket));

    public void Submit(QueryTicket ticket) => Ask(machine => machine.Submit(ticket));

    public void Submit(KeepAliveTicket ticket) => Ask(machine => machine.Submit(ticket));

    public void Submit(WatchTicket ticket) => Ask(machine => machine.Submit(ticket));

    private void Ask(Action<ReplicaMachine> request) => Post(machine =>
    {
        _waker = Happening.WokenByRequest;
        request(machine);
    });

    public void Forget(WatchTicket ticket) => Post(machine => machine.Forget(ticket));

    public void Forget(CommandTicket ticket) => Post(machine => machine.Forget(ticket));

    public void Accept(SiloConnection connection) => _connections.Add(connection);

    public void Closed(SiloConnection connection) => _connections.Remove(connection);

    /// <summary>Of clients that may have gone long ago.</summary>
    public void CloseConnections()
    {
        foreach (SiloConnection connection in _connections.ToArray())
            connection.Break();
    }

    private void CollectAnswers(ReplicaEffects effects)
    {
        foreach ((CommandTicket ticket, Contracts.CommandAnswer answer) in effects.Completed)
        {
            if (ticket is ClientCommandTicket mine)
                _effects.Add(() => mine.Answer(this, answer));
        }
        foreach ((QueryTicket ticket, Contracts.QueryAnswer answer) in effects.Answered)
        {
            // What an altered state answers until it is found is beyond the promise.
            Contracts.QueryAnswer heard = _peer.IsAltered
                ? new Contracts.QueryAnswer { Error = Contracts.ErrorCode.NotLeader, Position = answer.Position }
                : answer;
            _effects.Add(() => ((ClientQueryTicket)ticket).Answer(this, heard));
        }
        foreach ((WatchTicket ticket, Contracts.WatchPage page) in effects.WatchesAnswered)
        {
            Contracts.WatchPage heard = _peer.IsAltered ? new Contracts.WatchPage { Error = Contracts.ErrorCode.NotLeader } : page;
            _effects.Add(() => ((ClientWatchTicket)ticket).Answer(this, heard));
        }
        foreach ((KeepAliveTicket ticket, Contracts.KeepAliveAnswer answer) in effects.KeptAlive)
            _effects.Add(() => ((ClientKeepAliveTicket)ticket).Answer(this, answer));
        foreach (EndedSession ended in effects.SessionsEnded)
        {
            foreach (SiloConnection connection in _connections)
                _effects.Add(() => connection.Tell(ended));
        }
    }
}
