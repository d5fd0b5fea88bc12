namespace Coordinator.Tests.EndToEnd;

/// <summary>
/// What a lock guards, kept outside the silo: a counter behind a fence. It is read and then written, as a careless program
/// would; only the lock keeps two such updates apart, and only the fence stops a holder that has lost it. Thread-safe.
/// </summary>
internal sealed class FencedResource(string name)
{
    private readonly Lock _gate = new();
    private readonly List<string> _violations = [];
    private long _counter;
    private long _highest;

    public string Name => name;

    public long Updates { get; private set; }

    /// <summary>Accesses by holders that had been overtaken: what the fence is for.</summary>
    public long Refused { get; private set; }

    public IReadOnlyList<string> Violations
    {
        get
        {
            lock (_gate)
            {
                string lost = $"{name}: {Updates} updates were accepted, and the counter is at {_counter}";
                return _counter == Updates ? [.. _violations] : [.. _violations, lost];
            }
        }
    }

    /// <summary>The first access under a grant: its token is new, or it is refused.</summary>
    public long? Read(long token)
    {
        lock (_gate)
        {
            if (token < _highest)
            {
                Refused++;
                return null;
            }
            if (token == _highest)
                _violations.Add($"{name}: token {token} was granted twice");
            _highest = token;
            return _counter;
        }
    }

    public void Write(long token, long value)
    {
        lock (_gate)
        {
            if (token < _highest)
            {
                Refused++;
                return;
            }
            _counter = value;
            Updates++;
        }
    }
}
