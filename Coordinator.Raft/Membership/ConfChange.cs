namespace Coordinator.Raft;

/// <summary>One change of one peer, as early Raft had it. In the log as <see cref="EntryType.ConfChange"/>.</summary>
public sealed record ConfChange(ConfChangeType Type, PeerId Peer, ReadOnlyMemory<byte> Context = default)
{
    public ConfChangeV2 ToV2() => new() { Changes = [new ConfChangeSingle(Type, Peer)], Context = Context };

    public ReadOnlyMemory<byte> Encode() => ToV2().Encode();

    /// <exception cref="FormatException">The bytes aren't one change that <see cref="Encode"/> wrote.</exception>
    public static ConfChange Decode(ReadOnlyMemory<byte> data)
    {
        ConfChangeV2 v2 = ConfChangeV2.Decode(data);
        return v2.Changes.Count == 1 && v2.Transition == ConfChangeTransition.Auto
            ? new ConfChange(v2.Changes[0].Type, v2.Changes[0].Peer, v2.Context)
            : throw new FormatException($"A single membership change, but the bytes hold: {v2}.");
    }
}
