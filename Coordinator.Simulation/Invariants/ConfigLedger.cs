using Coordinator.Contracts;
using Coordinator.Replica.State;

namespace Coordinator.Simulation.Invariants;

/// <summary>
/// All keys and all that they ever were, worked out from the committed entries in the plainest way there is: a second
/// opinion on the configuration, which forgets nothing. Invariant: one revision for each entry's command and for each
/// session's end that changes something.
/// </summary>
internal sealed partial class ConfigLedger(StateSettings settings, long baseIndex)
{
    private readonly long _baseIndex = baseIndex;
    private readonly SortedDictionary<string, List<ConfigVersion>> _keys = new(StringComparer.Ordinal);

    // After each entry, the first one of the bootstrap.
    private readonly List<(long Revision, long Compacted)> _after = [(baseIndex, baseIndex)];
    private long _index = baseIndex;
    private long _logTimeUs;

    public long Revision { get; private set; } = baseIndex;

    /// <summary>Those that the last entry made.</summary>
    public List<(string Key, ConfigVersion Version)> LastChanges { get; } = [];

    /// <summary>The revision that the last entry's command made; 0: none.</summary>
    public long LastRevisionOfCommand { get; private set; }

    /// <summary>Told of each command about configuration that is executed, before the ledger takes it over.</summary>
    public Action? Executing { get; set; }

    /// <summary>The present one; null: it does not exist.</summary>
    public ConfigEntry? Find(string key) => _keys.TryGetValue(key, out List<ConfigVersion>? versions) ? versions[^1].Entry : null;

    /// <summary>The present keys with the prefix.</summary>
    public IEnumerable<string> Keys(string prefix) => AllKeys(prefix).Where(key => Find(key) is not null);

    /// <summary>With those that were once.</summary>
    public IEnumerable<string> AllKeys(string prefix) => _keys.Keys.Where(key => key.StartsWith(prefix, StringComparison.Ordinal));

    /// <summary>All that the key ever was, oldest first.</summary>
    public IEnumerable<ConfigVersion> Versions(string key) => _keys.TryGetValue(key, out List<ConfigVersion>? versions) ? versions : [];

    public ConfigVersion? AtIndex(string key, long index) => Last(key, version => version.Index <= index);

    public ConfigVersion? AtRevision(string key, long revision) => Last(key, version => version.Revision <= revision);

    public long RevisionAt(long index) => _after[(int)(index - _baseIndex)].Revision;

    /// <summary>The oldest revision that could be read after the entry.</summary>
    public long CompactedAt(long index) => _after[(int)(index - _baseIndex)].Compacted;

    /// <param name="isNew">The command had not been executed by an earlier entry.</param>
    public void Follow(CommittedEntry entry, bool isNew)
    {
        LastChanges.Clear();
        LastRevisionOfCommand = 0;
        _index = entry.Index;
        _logTimeUs = Math.Max(_logTimeUs, entry.Entry.Stamp);
        // What the stamp made due ends before the command (rule 10).
        EndSessions(entry, SessionEndReason.Expired);
        if (isNew && entry.Command is { } command && ConfigCommands.Knows(command.OperationCase)
            && HoldingLedger.IsExecuted(entry.Result.Error) && CommandRules.Check(command) is null)
        {
            Executing?.Invoke();
            if (entry.Result.Error == ErrorCode.Ok)
                Execute(command);
        }
        EndSessions(entry, SessionEndReason.Closed);
        ForgetWhatIsTooMuch();
        _after.Add((Revision, Compacted));
    }

    private void EndSessions(CommittedEntry entry, SessionEndReason reason)
    {
        foreach (EndedSession ended in entry.SessionsEnded.Where(ended => ended.Reason == reason))
        {
            var trial = new ConfigTrial(this, ended.SessionId);
            foreach (string key in _keys.Keys.Where(key => Find(key)?.SessionId == ended.SessionId))
                trial.Delete(key);
            Take(trial);
        }
    }

    private void Execute(Command command)
    {
        var trial = new ConfigTrial(this, command.SessionId);
        switch (command.OperationCase)
        {
            case Command.OperationOneofCase.PutConfig:
                trial.Put(command.PutConfig);
                break;
            case Command.OperationOneofCase.DeleteConfig:
                trial.Delete(command.DeleteConfig.Key);
                break;
            case Command.OperationOneofCase.Transaction:
                Transaction transaction = command.Transaction;
                foreach (ConfigOperation operation in ConfigTrial.Holds(transaction, this) ? transaction.Then : transaction.Else)
                    trial.Do(operation);
                break;
            case Command.OperationOneofCase.CompactConfig:
                Compact(command.CompactConfig.Revision);
                break;
            case Command.OperationOneofCase.RollBackConfig:
                trial.RollBack(command.RollBackConfig.Prefix, command.RollBackConfig.Revision);
                break;
        }
        if (Take(trial))
            LastRevisionOfCommand = Revision;
    }

    private bool Take(ConfigTrial trial)
    {
        if (trial.Changes.Count == 0)
            return false;
        Revision++;
        foreach ((string key, ConfigEntry? entry) in trial.Changes)
        {
            Keep(key, Find(key));
            if (!_keys.TryGetValue(key, out List<ConfigVersion>? versions))
                _keys.Add(key, versions = []);
            var version = new ConfigVersion(_index, Revision, entry);
            versions.Add(version);
            LastChanges.Add((key, version));
        }
        return true;
    }

    private ConfigVersion? Last(string key, Predicate<ConfigVersion> fits) =>
        _keys.TryGetValue(key, out List<ConfigVersion>? versions) ? versions.FindLast(fits) : null;
}
