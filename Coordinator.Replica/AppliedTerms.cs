using Coordinator.Raft;

namespace Coordinator.Replica;

/// <summary>
/// The terms of what this replica's state has applied, by the index at which each began. Invariant: what it says is
/// committed; of what it no longer knows it says nothing. No log can be asked instead: the state outlives activations, and
/// the log of a later one may hold, at an index long applied, what was to be replaced there.
/// </summary>
internal sealed class AppliedTerms
{
    private const int RunsMax = 256;

    private readonly List<(long From, Term Term)> _runs = [];

    /// <summary>All that is known: the state comes from a snapshot.</summary>
    public void Reset(long index, Term term)
    {
        _runs.Clear();
        _runs.Add((index, term));
    }

    public void Applied(long index, Term term)
    {
        if (_runs[^1].Term == term)
            return;
        if (_runs.Count == RunsMax)
            _runs.RemoveRange(0, RunsMax / 2);
        _runs.Add((index, term));
    }

    /// <summary>Of an applied entry; null: no longer known.</summary>
    public Term? At(long index)
    {
        for (int i = _runs.Count - 1; i >= 0; i--)
        {
            if (_runs[i].From <= index)
                return _runs[i].Term;
        }
        return null;
    }
}
