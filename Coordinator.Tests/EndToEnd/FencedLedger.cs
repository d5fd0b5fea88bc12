using System.Globalization;
using Coordinator.Client;

namespace Coordinator.Tests.EndToEnd;

/// <summary>
/// What the clients of a kill loop were told, kept outside the silo: writes that were acknowledged, and for each lock
/// the resource that it guards, with its fence. Thread-safe.
/// </summary>
internal sealed class FencedLedger
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, long> _acknowledged = [];
    private readonly Dictionary<string, long> _attempted = [];
    private readonly Dictionary<string, long> _tokens = [];
    private readonly List<string> _violations = [];
    private readonly List<string> _uncertain = [];

    public long Writes { get; private set; }

    public long Grants { get; private set; }

    public long Uncertain => UncertainWrites.Count;

    /// <summary>Each with what was said of it.</summary>
    public IReadOnlyList<string> UncertainWrites
    {
        get
        {
            lock (_gate)
            {
                return [.. _uncertain];
            }
        }
    }

    public IReadOnlyList<string> Violations
    {
        get
        {
            lock (_gate)
            {
                return [.. _violations];
            }
        }
    }

    public IReadOnlyList<string> Keys
    {
        get
        {
            lock (_gate)
            {
                return [.. _attempted.Keys.Order(StringComparer.Ordinal)];
            }
        }
    }

    public void Attempt(string key, long value)
    {
        lock (_gate)
        {
            _attempted[key] = value;
        }
    }

    public void Acknowledge(string key, long value)
    {
        lock (_gate)
        {
            _acknowledged[key] = value;
            Writes++;
        }
    }

    private void AddUncertain(string write)
    {
        lock (_gate)
        {
            _uncertain.Add(write);
        }
    }

    /// <summary>The guarded resource: it takes a token only if it is above all that it has seen.</summary>
    public void Grant(string name, long token)
    {
        lock (_gate)
        {
            Grants++;
            if (_tokens.TryGetValue(name, out long highest) && token <= highest)
                _violations.Add($"lock {name}: token {token} after {highest}");
            _tokens[name] = Math.Max(token, _tokens.GetValueOrDefault(name));
        }
    }

    /// <summary>What a read that begins now has to see at least.</summary>
    public long AcknowledgedOf(string key)
    {
        lock (_gate)
        {
            return _acknowledged.GetValueOrDefault(key);
        }
    }

    /// <summary>What a read said: nothing acknowledged before it may be lost, nothing may have happened twice.</summary>
    public void Check(string key, long acknowledged, long? value, long version)
    {
        lock (_gate)
        {
            long attempted = _attempted.GetValueOrDefault(key);
            if ((value ?? 0) < acknowledged)
                _violations.Add($"key {key}: {value} is stored, {acknowledged} was acknowledged");
            if ((value ?? 0) > attempted || version > attempted)
                _violations.Add($"key {key}: value {value}, version {version}, but only {attempted} writes were made");
        }
    }

    /// <returns>Whether it was acknowledged; otherwise nobody knows.</returns>
    public async Task<bool> WriteAsync(CoordinatorClient client, string key, long value)
    {
        Attempt(key, value);
        try
        {
            await client.Configuration.PutAsync(
                key, value.ToString(CultureInfo.InvariantCulture), cancellationToken: CancellationToken.None);
            Acknowledge(key, value);
            return true;
        }
        catch (CoordinatorOutcomeUnknownException unknown)
        {
            AddUncertain($"{key} = {value}: {unknown.Message}");
            return false;
        }
    }

    /// <summary>Reads all keys, and checks what is there.</summary>
    public async Task CheckAsync(CoordinatorClient client)
    {
        foreach (string key in Keys)
        {
            long acknowledged = AcknowledgedOf(key);
            ConfigEntry? entry = await client.Configuration.GetAsync(key);
            long? value = entry is null ? null : long.Parse(entry.GetString(), CultureInfo.InvariantCulture);
            Check(key, acknowledged, value, entry?.Version ?? 0);
        }
    }
}
