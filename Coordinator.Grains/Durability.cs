using Coordinator.Raft;

namespace Coordinator.Grains;

/// <summary>
/// How many faults what is acknowledged survives now: losses of a PostgreSQL server, with all that is stored there. Two
/// voters on one server are lost together, however many silos they run in.
/// </summary>
/// <param name="Because">For a person: what the number hangs on.</param>
public sealed record Durability(int FaultsTolerated, string Because)
{
    /// <summary>In a joint configuration both halves need a majority: the weaker one counts.</summary>
    /// <param name="serverOf">Names the server that a voter stores in; null: it is not known, or the voter does not run.</param>
    /// <param name="witnesses">Who can tell that the server went back in time, where all voters are on one.</param>
    internal static Durability Of(
        ConfState members, Func<PeerId, string?> serverOf, string witnesses = "the file beside the silo and the clients")
    {
        string shared = $"; if it goes back in time, only {witnesses} can tell";
        Durability durability = Of(members.Voters, serverOf, shared);
        if (members.VotersOutgoing.Count == 0)
            return durability;
        Durability outgoing = Of(members.VotersOutgoing, serverOf, shared);
        return outgoing.FaultsTolerated < durability.FaultsTolerated ? outgoing : durability;
    }

    private static Durability Of(IReadOnlyList<PeerId> voters, Func<PeerId, string?> serverOf, string shared)
    {
        PeerId[][] servers = [.. voters.GroupBy(serverOf).Where(server => server.Key is not null)
            .Select(server => server.ToArray()).OrderByDescending(server => server.Length)];
        int running = servers.Sum(server => server.Length);
        int majority = (voters.Count / 2) + 1;
        if (running < majority)
            return new Durability(0, $"{running} of {voters.Count} voters run with a database that is known: that is no majority");
        // Whichever are lost: the worst are those that take the most voters along.
        int tolerated = 0;
        for (int left = running - servers[0].Length; left >= majority; left -= servers[tolerated].Length)
        {
            tolerated++;
            if (tolerated == servers.Length)
                break;
        }
        return new Durability(tolerated, Reason(voters, servers, running, shared));
    }

    private static string Reason(IReadOnlyList<PeerId> voters, PeerId[][] servers, int running, string shared)
    {
        string missing = running == voters.Count ? "" : $"{running} of {voters.Count} voters run; ";
        if (servers.Length == 1)
        {
            return voters.Count == 1
                ? "the only voter stores in one PostgreSQL server" + shared
                : $"{missing}all {(running == voters.Count ? Number(running) + " voters" : "of these")} store in one PostgreSQL server" + shared;
        }
        string[] together = [.. servers.Where(server => server.Length > 1).Select(server => $"peers {string.Join(", ", server)} store in one PostgreSQL server")];
        return missing + (together.Length > 0 ? string.Join("; ", together) : "each voter stores in a PostgreSQL server of its own");
    }

    private static string Number(int count) => count switch
    {
        3 => "three",
        5 => "five",
        7 => "seven",
        _ => $"{count}",
    };
}
