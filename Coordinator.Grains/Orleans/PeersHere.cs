using Coordinator.Contracts;
using Google.Protobuf;

namespace Coordinator.Grains.Orleans;

/// <summary>
/// What this silo tells the others of its peers: to each that asks, what has changed since it last asked. A group without
/// news costs a look. Thread-safe. Invariant: whoever names the version of an answer that it has taken in knows all that
/// was so then.
/// </summary>
internal sealed class PeersHere(OrleansGroups silo)
{
    private readonly Lock _gate = new();
    private readonly GroupNews[] _news =
        [.. silo.Groups.Select(group => new GroupNews(() => group.Peers, () => group.Version))];
    private readonly GroupFact[][] _facts = [.. silo.Groups.Select(_ => Array.Empty<GroupFact>())];
    private readonly long[] _changedAt = new long[silo.Groups.Count];
    private long _version = 1;

    /// <param name="since">Of an earlier answer of this process; 0: none was taken in.</param>
    public SiloFacts Tell(long since)
    {
        lock (_gate)
        {
            Renew();
            bool isPartial = since > 0 && since <= _version;
            var facts = new SiloFacts { Stopping = silo.IsStopping, Partial = isPartial, Version = _version };
            if (!isPartial && silo.Founded.IsCompletedSuccessfully)
                facts.ClusterId = ByteString.CopyFrom(silo.Founded.Result.ToByteArray());
            for (int group = 0; group < _facts.Length; group++)
            {
                if (isPartial && _changedAt[group] <= since)
                    continue;
                facts.Groups.Add(_facts[group]);
                if (isPartial && _facts[group].Length == 0)
                    facts.Emptied.Add(group);
            }
            return facts;
        }
    }

    private void Renew()
    {
        long next = _version + 1;
        for (int group = 0; group < _news.Length; group++)
        {
            if (!_news[group].Take())
                continue;
            GroupFact[] facts = silo.Groups[group].Facts();
            if (!facts.SequenceEqual(_facts[group]))
                (_facts[group], _changedAt[group], _version) = (facts, next, next);
        }
    }
}
