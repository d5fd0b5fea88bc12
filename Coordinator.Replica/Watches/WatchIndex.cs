using Coordinator.Contracts;

namespace Coordinator.Replica;

/// <summary>
/// Parked watches by what they watch, so that a change costs a few look-ups, however many wait: one for its key and one
/// for each length of prefix that somebody watches. Nothing here is ever walked in the order of hashes.
/// </summary>
internal sealed class WatchIndex
{
    private readonly Dictionary<string, WatchBucket> _keys = new(StringComparer.Ordinal);
    private readonly Dictionary<string, WatchBucket> _prefixes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, WatchBucket> _elections = new(StringComparer.Ordinal);
    private readonly Dictionary<long, WatchBucket> _sessions = [];
    private readonly Dictionary<string, WatchBucket>.AlternateLookup<ReadOnlySpan<char>> _prefixesBySpan;

    /// <summary>How many prefixes of each length are watched.</summary>
    private readonly SortedList<int, int> _prefixLengths = [];
    private readonly List<WatchBucket> _changed = [];

    public WatchIndex() => _prefixesBySpan = _prefixes.GetAlternateLookup<ReadOnlySpan<char>>();

    public void Add(WatchTicket ticket)
    {
        Watch watch = ticket.Watch;
        WatchBucket bucket = watch.WatchCase switch
        {
            Watch.WatchOneofCase.Session => GetOrAdd(_sessions, watch.Session.SessionId),
            Watch.WatchOneofCase.Election => GetOrAdd(_elections, watch.Election.Name),
            _ when watch.Config.IsPrefix => GetOrAdd(_prefixes, watch.Config.Key),
            _ => GetOrAdd(_keys, watch.Config.Key),
        };
        if (watch.Config is { IsPrefix: true } && bucket.Tickets.Count == 0)
            _prefixLengths[watch.Config.Key.Length] = _prefixLengths.GetValueOrDefault(watch.Config.Key.Length) + 1;
        ticket.Bucket = bucket;
        ticket.InBucket = bucket.Tickets.AddLast(ticket);
    }

    public void Remove(WatchTicket ticket)
    {
        WatchBucket bucket = ticket.Bucket!;
        bucket.Tickets.Remove(ticket.InBucket!);
        (ticket.Bucket, ticket.InBucket) = (null, null);
        if (bucket.Tickets.Count > 0)
            return;
        Watch watch = ticket.Watch;
        switch (watch.WatchCase)
        {
            case Watch.WatchOneofCase.Session:
                _sessions.Remove(watch.Session.SessionId);
                break;
            case Watch.WatchOneofCase.Election:
                _elections.Remove(watch.Election.Name);
                break;
            case Watch.WatchOneofCase.Config when watch.Config.IsPrefix:
                _prefixes.Remove(watch.Config.Key);
                if (--_prefixLengths[watch.Config.Key.Length] == 0)
                    _prefixLengths.Remove(watch.Config.Key.Length);
                break;
            default:
                _keys.Remove(watch.Config.Key);
                break;
        }
    }

    public void KeyChanged(string key, long revision)
    {
        if (_keys.TryGetValue(key, out WatchBucket? ofKey))
            Changed(ofKey, revision);
        for (int i = 0; i < _prefixLengths.Count && _prefixLengths.GetKeyAtIndex(i) <= key.Length; i++)
        {
            if (_prefixesBySpan.TryGetValue(key.AsSpan(0, _prefixLengths.GetKeyAtIndex(i)), out WatchBucket? ofPrefix))
                Changed(ofPrefix, revision);
        }
    }

    public void ElectionChanged(string name)
    {
        if (_elections.TryGetValue(name, out WatchBucket? bucket))
            Changed(bucket, 0);
    }

    public void SessionChanged(long sessionId)
    {
        if (_sessions.TryGetValue(sessionId, out WatchBucket? bucket))
            Changed(bucket, 0);
    }

    public void Changed(WatchBucket bucket, long revision)
    {
        if (bucket.IsChanged)
            return;
        bucket.IsChanged = true;
        bucket.ChangedIn = revision;
        _changed.Add(bucket);
    }

    /// <summary>The watches of all that has changed since the last call; none of what was changed stays so.</summary>
    public void TakeChanged(List<WatchTicket> tickets)
    {
        foreach (WatchBucket bucket in _changed)
        {
            foreach (WatchTicket ticket in bucket.Tickets)
            {
                // What lies between concerned this watch not, or it would have been told: it need not be read again,
                // and may be compacted.
                ticket.NextRevision = Math.Max(ticket.NextRevision, bucket.ChangedIn);
                tickets.Add(ticket);
            }
            bucket.IsChanged = false;
        }
        _changed.Clear();
    }

    private static WatchBucket GetOrAdd<T>(Dictionary<T, WatchBucket> buckets, T name)
        where T : notnull
    {
        if (!buckets.TryGetValue(name, out WatchBucket? bucket))
            buckets.Add(name, bucket = new WatchBucket());
        return bucket;
    }
}
