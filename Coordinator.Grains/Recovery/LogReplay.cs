using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica.State;

namespace Coordinator.Grains.Recovery;

/// <summary>A survivor's log, applied to its snapshot as its replica would have.</summary>
internal sealed class LogReplay
{
    private readonly Survivor _survivor;
    private readonly ApplyEffects _effects = new();

    /// <exception cref="RecoveryException">The snapshot does not hold a state.</exception>
    public LogReplay(Survivor survivor)
    {
        _survivor = survivor;
        try
        {
            State = CoordinationState.ReadSnapshot(survivor.Stored.Snapshot.Data);
        }
        catch (InvalidDataException e)
        {
            throw new RecoveryException($"The snapshot of peer {survivor.Key} in {survivor.Source} cannot be read: {e.Message}");
        }
    }

    public CoordinationState State { get; }

    /// <exception cref="RecoveryException">The log was written by a later program.</exception>
    public void ApplyTo(long lastIndex)
    {
        foreach (Entry entry in _survivor.Stored.Entries)
        {
            if (entry.Index <= State.AppliedIndex || entry.Index > lastIndex)
                continue;
            _effects.Clear();
            Apply(entry);
        }
    }

    private void Apply(in Entry entry)
    {
        if (entry.Type != EntryType.Normal)
        {
            ConfChangeV2 change = entry.Type == EntryType.ConfChange
                ? ConfChange.Decode(entry.Data).ToV2()
                : ConfChangeV2.Decode(entry.Data);
            Command? context = change.Context.IsEmpty ? null : Command.Parser.ParseFrom(change.Context.Span);
            State.Apply(entry.Index, entry.Term, entry.Stamp, context, change, _effects);
            return;
        }
        Command? command = entry.Data.IsEmpty ? null : Command.Parser.ParseFrom(entry.Data.Span);
        // What a later program did from here on is unknown to this one (rule 25).
        if (command?.RaiseFeatureLevel is { } raise && raise.Level > FeatureLevels.Known)
        {
            throw new RecoveryException(
                $"Entry {entry.Index} raises the group to feature level {raise.Level}, and this program knows {FeatureLevels.Known}: use a later one.");
        }
        State.Apply(entry.Index, entry.Term, entry.Stamp, command, _effects);
    }
}
