using Coordinator.Contracts;

namespace Coordinator.Simulation.Invariants;

/// <summary>One resource as the log's results tell it: who holds it, who waits, and who held it at each index.</summary>
internal sealed class HoldingView(HoldingKind kind, string name)
{
    private readonly List<(long Index, long[] Tokens)> _history = [];

    public HoldingKind Kind { get; } = kind;

    public string Name { get; } = name;

    /// <summary>In the order of their grants.</summary>
    public List<Claimed> Holders { get; } = [];

    /// <summary>First in line first.</summary>
    public List<Claimed> Waiting { get; } = [];

    /// <summary>Of the last grant ever; 0: none yet.</summary>
    public long LastToken { get; set; }

    /// <summary>Log time until which a holder's death keeps everybody out.</summary>
    public long KeptOutUntilUs { get; set; }

    /// <summary>Named as the next by a leader who has resigned in its favour in this entry; 0: nobody.</summary>
    public long HeirSessionId { get; set; }

    public override string ToString() => $"{Kind} {Name}";

    public void NoteHolders(long index) => _history.Add((index, [.. Holders.Select(held => held.Token).Order()]));

    /// <summary>The tokens with which it was held after the entry at this index.</summary>
    public long[] TokensAt(long index)
    {
        for (int i = _history.Count - 1; i >= 0; i--)
        {
            if (_history[i].Index <= index)
                return _history[i].Tokens;
        }
        return [];
    }
}
