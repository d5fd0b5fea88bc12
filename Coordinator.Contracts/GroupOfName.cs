using System.Text;

namespace Coordinator.Contracts;

/// <summary>
/// Which group a name belongs to: by its namespace, the part before the first '/', or the whole name if there is none. All
/// silos and clients of a cluster must agree for as long as it lives, so this never changes.
/// </summary>
public static class GroupOfName
{
    private const ulong OffsetBasis = 14_695_981_039_346_656_037;
    private const ulong Prime = 1_099_511_628_211;

    /// <summary>0 to <paramref name="groups"/> - 1.</summary>
    /// <param name="name">A valid name, of any kind of resource.</param>
    /// <param name="groups">Of the cluster; at least 1.</param>
    public static int Of(string name, int groups)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(groups, 1);
        return groups == 1 ? 0 : (int)(Hash(Namespace(name)) % (ulong)groups);
    }

    /// <summary>Null: names that begin so are in several groups.</summary>
    /// <param name="prefix">With a '/' it holds the whole namespace of all names that begin with it.</param>
    /// <param name="groups">Of the cluster; at least 1.</param>
    public static int? OfPrefix(string prefix, int groups) =>
        groups == 1 || prefix.Contains('/') ? Of(prefix, groups) : null;

    private static ReadOnlySpan<char> Namespace(string name)
    {
        int slash = name.IndexOf('/');
        return slash < 0 ? name : name.AsSpan(0, slash);
    }

    // FNV-1a of the UTF-8 bytes, then MurmurHash3's finalizer: FNV alone leaves the low bits of short names alike.
    private static ulong Hash(ReadOnlySpan<char> text)
    {
        Span<byte> bytes = stackalloc byte[Limits.NameBytesMax];
        int length = Encoding.UTF8.GetBytes(text, bytes);
        ulong hash = OffsetBasis;
        foreach (byte b in bytes[..length])
            hash = (hash ^ b) * Prime;
        hash ^= hash >> 33;
        hash *= 0xff51_afd7_ed55_8ccd;
        hash ^= hash >> 33;
        hash *= 0xc4ce_b9fe_1a85_ec53;
        return hash ^ (hash >> 33);
    }
}
