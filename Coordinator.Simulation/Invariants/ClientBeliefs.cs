using Coordinator.Simulation.Clients;
using Coordinator.Simulation.Engine;

namespace Coordinator.Simulation.Invariants;

/// <summary>
/// Mutual exclusion as clients see it: at no moment do two of them believe to hold the same lock, as long as each keeps
/// to its deadline (rule 13); and tokens that clients get on one lock increase (rule 18).
/// </summary>
internal sealed class ClientBeliefs
{
    private readonly Dictionary<string, (SimulatedClient Client, long Token)> _holders = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _tokens = new(StringComparer.Ordinal);

    public void Begin(string name, SimulatedClient client, long token)
    {
        if (_holders.TryGetValue(name, out (SimulatedClient Client, long Token) other))
        {
            throw new InvariantViolation(
                "mutual exclusion for clients",
                $"client {client.Number} holds {name} with token {token} while client {other.Client.Number} holds it with {other.Token}");
        }
        if (_tokens.TryGetValue(name, out long last) && last >= token)
            throw new InvariantViolation("mutual exclusion for clients", $"token {token} of {name} after {last}");
        _tokens[name] = token;
        _holders.Add(name, (client, token));
    }

    public void End(string name, SimulatedClient client)
    {
        if (_holders.TryGetValue(name, out (SimulatedClient Client, long Token) holder) && holder.Client == client)
            _holders.Remove(name);
    }
}
