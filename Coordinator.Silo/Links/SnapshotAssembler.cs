using Coordinator.Contracts;
using Coordinator.Grains;
using Coordinator.Raft;
using Coordinator.Replica;

namespace Coordinator.Silo.Links;

/// <summary>
/// Puts a snapshot together from its chunks. Invariant: it holds one at most, no larger than the limit, and hands it on
/// only when it is whole.
/// </summary>
internal sealed class SnapshotAssembler(int bytesMax)
{
    private Envelope? _envelope;
    private byte[] _data = [];
    private long _id;
    private int _received;

    /// <param name="problem">Null, or what is wrong: the link can't be used any further.</param>
    /// <returns>The snapshot, if that was all of it.</returns>
    public Envelope? Begin(SnapshotBegin begin, out string? problem)
    {
        _envelope = null;
        _data = [];
        if (begin.Bytes < 0 || begin.Bytes > bytesMax)
        {
            problem = $"A snapshot of {begin.Bytes} bytes is announced; the limit is {bytesMax}.";
            return null;
        }
        if (begin.Envelope is null || EnvelopeCodec.FromWire(begin.Envelope, out problem) is not { } envelope)
        {
            problem = "A snapshot is announced without an envelope that holds.";
            return null;
        }
        if (envelope.Message.Snapshot is not { Data.IsEmpty: true })
        {
            problem = "A snapshot's announcement has no data of its own.";
            return null;
        }
        _envelope = envelope;
        _id = begin.Id;
        _received = 0;
        _data = GC.AllocateUninitializedArray<byte>((int)begin.Bytes);
        return CompleteIfWhole();
    }

    /// <param name="problem">Null, or what is wrong: the link can't be used any further.</param>
    /// <returns>The snapshot, if this was its last chunk.</returns>
    public Envelope? Add(SnapshotChunk chunk, out string? problem)
    {
        problem = null;
        if (_envelope is null || chunk.Id != _id)
            problem = $"A chunk belongs to snapshot {chunk.Id}, which is not under way.";
        else if (chunk.Data.IsEmpty || chunk.Data.Length > _data.Length - _received)
            problem = $"A chunk of {chunk.Data.Length} bytes does not fit the {_data.Length - _received} that are missing.";
        if (problem is not null)
            return null;
        chunk.Data.Span.CopyTo(_data.AsSpan(_received));
        _received += chunk.Data.Length;
        return CompleteIfWhole();
    }

    private Envelope? CompleteIfWhole()
    {
        if (_received < _data.Length)
            return null;
        Envelope whole = _envelope!;
        Snapshot snapshot = whole.Message.Snapshot! with { Data = _data };
        _envelope = null;
        _data = [];
        return whole with { Message = whole.Message with { Snapshot = snapshot } };
    }
}
