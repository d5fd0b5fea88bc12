namespace Coordinator.Raft.Log;

/// <summary>
/// A peer's log: what storage holds, followed by what it doesn't hold yet.
/// Invariant: Applied &lt;= Applying &lt;= Committed &lt;= LastIndex, and the first three never go back.
/// </summary>
internal sealed partial class RaftLog
{
    private readonly IRaftStorage _storage;
    private readonly ApplyRule _applyRule;
    private readonly SeededRaftBug _planted = SeededRaftBugs.Planted;

    public RaftLog(IRaftStorage storage, long maxApplyingBytes, ApplyRule applyRule)
    {
        _storage = storage;
        _applyRule = applyRule;
        Unstable = new UnstableLog(storage.LastIndex + 1);
        // What has been compacted was applied.
        Committed = storage.FirstIndex - 1;
        Apply = new ApplyProgress(Committed, maxApplyingBytes);
    }

    public UnstableLog Unstable { get; }

    public ApplyProgress Apply { get; }

    /// <summary>The highest index known to be on a quorum (Raft §5.3).</summary>
    public long Committed { get; private set; }

    public long Applied => Apply.Applied;

    public long FirstIndex => Unstable.Snapshot is { } snapshot ? snapshot.Index + 1 : _storage.FirstIndex;

    public long LastIndex => Unstable.LastIndex ?? _storage.LastIndex;

    public LogPosition Last
    {
        get
        {
            long last = LastIndex;
            bool known = TryGetTerm(last, out Term term);
            Invariant.Require(known, $"the last entry, {last}, has no term");
            return new LogPosition(last, term);
        }
    }

    /// <summary>
    /// Known in [FirstIndex - 1, LastIndex]: what precedes the first entry still serves to match logs.
    /// </summary>
    public bool TryGetTerm(long index, out Term term)
    {
        if (Unstable.TryGetTerm(index, out term))
        {
            return true;
        }

        if (index + 1 < FirstIndex || index > LastIndex)
        {
            return false;
        }

        Term? stored = _storage.TermAt(index);
        term = stored ?? default;
        return stored is not null;
    }

    public bool Matches(LogPosition position) =>
        TryGetTerm(position.Index, out Term term) && term == position.Term;

    /// <summary>
    /// AppendEntries (Raft §5.3): false if the log doesn't hold <paramref name="previous"/>. An entry that conflicts
    /// takes everything after it away; entries that are there already are left alone, since the message may be old.
    /// </summary>
    public bool TryAppend(LogPosition previous, EntrySlice entries, long leaderCommit)
    {
        bool matches = Matches(previous)
            || (_planted == SeededRaftBug.AppendsWithoutMatch && previous.Index <= LastIndex);
        if (!matches)
        {
            return false;
        }

        int known = _planted == SeededRaftBug.CutsTailOnOldAppend ? 0 : CountKnown(entries);
        if (known < entries.Count)
        {
            ReplaceFrom(entries.Slice(known));
        }

        CommitTo(Math.Min(leaderCommit, previous.Index + entries.Count));
        return true;
    }

    /// <summary>
    /// A leader's own entry, at the end of its log: a leader never overwrites (Leader Append-Only, §5.3).
    /// </summary>
    public void AppendOwn(in Entry entry) => Unstable.Append(entry);

    public void CommitTo(long index)
    {
        if (index > Committed)
        {
            Invariant.Require(
                index <= LastIndex, $"commit {index} is after the last entry {LastIndex}: the log was cut or lost");
            Committed = index;
        }
    }

    /// <summary>
    /// Commits up to an index if its entry is of the leader's own term; the earlier ones are committed with it.
    /// Raft §5.4.2: counting replicas of an older term's entry doesn't commit it, a later leader may overwrite it.
    /// </summary>
    public bool TryCommit(LogPosition position)
    {
        if (position.Index <= Committed || position.Term == Term.Zero || !Matches(position))
        {
            return false;
        }

        CommitTo(position.Index);
        return true;
    }

    public void Restore(Snapshot snapshot)
    {
        Committed = snapshot.Index;
        Unstable.Restore(snapshot);
    }

    /// <summary>A snapshot to send: the one on its way to storage, or the stored one.</summary>
    public Snapshot? Snapshot() => Unstable.Snapshot ?? _storage.Snapshot();

    /// <summary>
    /// The largest index up to <paramref name="index"/> whose term isn't above <paramref name="term"/>, or isn't known
    /// here: terms only rise along a log, so logs can't match in between. The term is zero where it isn't known.
    /// </summary>
    public LogPosition FindPossibleMatch(long index, Term term)
    {
        for (; index > 0; index--)
        {
            if (!TryGetTerm(index, out Term own))
            {
                return new LogPosition(index, Term.Zero);
            }

            if (own <= term)
            {
                return new LogPosition(index, own);
            }
        }

        return default;
    }

    /// <summary>Entries from an index on; false if they have been compacted.</summary>
    public bool TryGetEntries(long from, long maxBytes, out EntrySlice entries)
    {
        long last = LastIndex;
        bool available = from >= FirstIndex;
        entries = available && from <= last ? Slice(from, last + 1, maxBytes) : EntrySlice.Empty;
        return available || from > last;
    }

    /// <summary>
    /// Entries in [lo, hi), from storage and from what isn't there yet, cut to a size, but at least one.
    /// </summary>
    public EntrySlice Slice(long lo, long hi, long maxBytes)
    {
        long cut = Math.Min(hi, Unstable.First);
        if (lo >= cut)
        {
            return Unstable.Slice(lo, hi, maxBytes);
        }

        EntrySlice stored = _storage.Entries(lo, cut, maxBytes);
        if (stored.Count < cut - lo || cut == hi)
        {
            return stored;
        }

        long left = maxBytes - (maxBytes == long.MaxValue ? 0 : EntrySize.Encoded(stored.Span));
        if (left <= 0)
        {
            return stored;
        }

        EntrySlice rest = Unstable.Slice(cut, hi, left);
        return rest.Count == 1 && EntrySize.Encoded(rest[0]) > left
            ? stored
            : new EntrySlice([.. stored.Span, .. rest.Span], 0, stored.Count + rest.Count);
    }

    private int CountKnown(EntrySlice entries)
    {
        int known = 0;
        while (known < entries.Count && Matches(new LogPosition(entries[known].Index, entries[known].Term)))
        {
            known++;
        }

        return known;
    }

    private void ReplaceFrom(EntrySlice entries)
    {
        long from = entries[0].Index;
        Invariant.Require(from > Committed, $"entry {from} conflicts with a committed entry (commit {Committed})");
        if (from <= LastIndex)
        {
            Unstable.TruncateFrom(from);
        }

        foreach (ref readonly Entry entry in entries.Span)
        {
            Unstable.Append(entry);
        }
    }
}
