using System.Buffers.Binary;
using Coordinator.Raft.Quorum;

namespace Coordinator.Raft.Core;

/// <summary>
/// Read requests that wait until a quorum has confirmed that this leader led when they came (thesis §6.4). Each has a
/// position in the queue; a heartbeat carries the last position, and its answer confirms all up to that.
/// Invariant: positions up to _confirmed have been answered; _waiting[0] is at position _confirmed + 1.
/// </summary>
internal sealed class ReadQueue
{
    private readonly Dictionary<PeerId, long> _acknowledged = [];
    private readonly List<(Message Request, long Index)> _waiting = [];
    private long _confirmed;

    public bool IsEmpty => _waiting.Count == 0;

    private long LastPosition => _confirmed + _waiting.Count;

    /// <summary>A request came at a commit index, below which the read must not fall.</summary>
    public void Add(Message request, long commitIndex) => _waiting.Add((request, commitIndex));

    /// <summary>What a heartbeat must carry so that its answers confirm all that waits; empty: nothing waits.</summary>
    public ReadOnlyMemory<byte> HeartbeatContext()
    {
        if (_waiting.Count == 0)
        {
            return default;
        }

        byte[] context = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(context, LastPosition);
        return context;
    }

    public void AcknowledgeAll(PeerId from) => _acknowledged[from] = LastPosition;

    public void Acknowledge(PeerId from, ReadOnlySpan<byte> heartbeatContext)
    {
        if (heartbeatContext.Length == sizeof(long))
        {
            long position = BinaryPrimitives.ReadInt64LittleEndian(heartbeatContext);
            _acknowledged[from] = Math.Max(_acknowledged.GetValueOrDefault(from), position);
        }
    }

    /// <summary>Takes out the requests that a quorum has confirmed, oldest first.</summary>
    public IReadOnlyList<(Message Request, long Index)> TakeConfirmed(JointConfig voters)
    {
        if (_waiting.Count == 0)
        {
            return [];
        }

        long position = voters.CommittedIndex(id => _acknowledged.TryGetValue(id, out long p) ? p : null);
        int count = (int)(Math.Min(position, LastPosition) - _confirmed);
        if (count <= 0)
        {
            return [];
        }

        List<(Message, long)> taken = _waiting.GetRange(0, count);
        _waiting.RemoveRange(0, count);
        _confirmed += count;
        return taken;
    }

    public void Clear()
    {
        _acknowledged.Clear();
        _waiting.Clear();
        _confirmed = 0;
    }
}
