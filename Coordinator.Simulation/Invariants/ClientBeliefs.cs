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
        Require(!_tokens.TryGetValue(name, out long last) || last < token, () => $"token {token} of {name} after {last}");
        Continue(name, client, token);
    }

    /// <summary>Again, of a client that has acted on nothing for a while.</summary>
    public void Continue(string name, SimulatedClient client, long token)
    {
        Require(
            !_holders.TryGetValue(name, out (SimulatedClient Client, long Token) other),
            () => $"client {client.Number} holds {name} with token {token} while client {other.Client.Number} holds it with {other.Token}");
        Require(
            !_tokens.TryGetValue(name, out long last) || last <= token,
            () => $"client {client.Number} still holds {name} with token {token} after {last}");
        _tokens[name] = token;
        _holders.Add(name, (client, token));
    }

    public void End(string name, SimulatedClient client)
    {
        if (_holders.TryGetValue(name, out (SimulatedClient Client, long Token) holder) && holder.Client == client)
            _holders.Remove(name);
    }

    private static void Require(bool condition, Func<string> message)
    {
        if (!condition)
            throw new InvariantViolation("mutual exclusion for clients", message());
    }
}
