namespace Coordinator.Simulation.Invariants;

/// <summary>One lock as the ledger sees it.</summary>
internal sealed class LockView(string name)
{
    private readonly List<(long Index, LockClaim? Holder)> _holders = [];

    public string Name { get; } = name;

    public LockClaim? Holder { get; private set; }

    /// <summary>First in line first.</summary>
    public List<LockClaim> Waiting { get; } = [];

    /// <summary>Of the last grant ever; 0: none yet.</summary>
    public long LastToken { get; private set; }

    public void SetHolder(long index, LockClaim? holder)
    {
        Holder = holder;
        LastToken = holder?.Token ?? LastToken;
        _holders.Add((index, holder));
    }

    /// <summary>Who held it after the entry at this index.</summary>
    public LockClaim? HolderAt(long index)
    {
        for (int i = _holders.Count - 1; i >= 0; i--)
        {
            if (_holders[i].Index <= index)
                return _holders[i].Holder;
        }
        return null;
    }
}
