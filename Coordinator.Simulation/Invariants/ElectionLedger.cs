using Coordinator.Contracts;

namespace Coordinator.Simulation.Invariants;

/// <summary>Every leader of every election and all that each has published, by the entry that made it so.</summary>
internal sealed class ElectionLedger(HoldingLedger holdings)
{
    private static readonly ElectionState Nobody = new();
    private readonly SortedDictionary<string, List<(long Index, ElectionState State)>> _elections = new(StringComparer.Ordinal);

    public void Follow(long index)
    {
        foreach (HoldingView view in holdings.Views.Where(view => view.Kind == HoldingKind.Election))
        {
            ElectionState now = view.Holders is [var leader, ..]
                ? new ElectionState { Token = leader.Token, SessionId = leader.SessionId, Value = leader.Value }
                : Nobody;
            if (now.Equals(Now(view.Name)))
                continue;
            if (!_elections.TryGetValue(view.Name, out List<(long Index, ElectionState State)>? states))
                _elections.Add(view.Name, states = []);
            states.Add((index, now));
        }
    }

    public ElectionState Now(string election) =>
        _elections.TryGetValue(election, out List<(long Index, ElectionState State)>? states) ? states[^1].State : Nobody;

    /// <summary>After the entry.</summary>
    public ElectionState At(string election, long index) =>
        _elections.GetValueOrDefault(election, []).FindLast(known => known.Index <= index).State ?? Nobody;

    /// <summary>The first entry, of those from this one on, after which it was so; the last one before it counts too.</summary>
    /// <returns>Null: it never was so since.</returns>
    public long? FirstSince(string election, long index, ElectionState state)
    {
        List<(long Index, ElectionState State)> states = _elections.GetValueOrDefault(election, []);
        int at = states.FindLastIndex(known => known.Index <= index);
        if ((at < 0 ? Nobody : states[at].State).Equals(state))
            return index;
        int found = states.FindIndex(at + 1, known => known.State.Equals(state));
        return found < 0 ? null : states[found].Index;
    }
}
