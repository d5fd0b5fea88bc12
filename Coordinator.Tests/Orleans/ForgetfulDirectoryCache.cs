using System.Collections.Concurrent;
using Orleans.Runtime;
using Orleans.Runtime.GrainDirectory;

namespace Coordinator.Tests.Orleans;

/// <summary>A silo's memory of where grains are; <see cref="Clear"/> makes it look into the directory again.</summary>
internal sealed class ForgetfulDirectoryCache : IGrainDirectoryCache
{
    private readonly ConcurrentDictionary<GrainId, (GrainAddress Address, int Version)> _known = [];

    public IEnumerable<(GrainAddress ActivationAddress, int Version)> KeyValues => _known.Values;

    public void AddOrUpdate(GrainAddress value, int version) => _known[value.GrainId] = (value, version);

    public bool Remove(GrainId key) => _known.TryRemove(key, out _);

    public bool Remove(GrainAddress key) =>
        _known.TryGetValue(key.GrainId, out (GrainAddress Address, int Version) known) && known.Address.Equals(key)
        && _known.TryRemove(KeyValuePair.Create(key.GrainId, known));

    public void Clear() => _known.Clear();

    public bool LookUp(GrainId key, out GrainAddress result, out int version)
    {
        bool isKnown = _known.TryGetValue(key, out (GrainAddress Address, int Version) known);
        (result, version) = known;
        return isKnown;
    }
}
