using System.Buffers.Binary;
using Coordinator.Raft;

namespace Coordinator.Replica;

/// <summary>One ReadIndex round: the reads that it serves, and the two things that they wait for.</summary>
internal sealed class ReadRound(long id, long begunUs, List<ReadTicket> tickets)
{
    public long Id { get; } = id;

    public long BegunUs { get; } = begunUs;

    public List<ReadTicket> Tickets { get; } = tickets;

    /// <summary>The commit index to reach before answering; -1 until a quorum has confirmed the leader.</summary>
    public long ReadIndex { get; set; } = -1;

    public bool EpochConfirmed { get; set; }

    public bool IsConfirmed => ReadIndex >= 0 && EpochConfirmed;

    /// <summary>Names the round in the whole group: the leader tells the rounds of all peers apart by it.</summary>
    public ReadOnlyMemory<byte> Context(PeerId asking, long epoch)
    {
        byte[] context = new byte[ContextBytes];
        BinaryPrimitives.WriteInt64LittleEndian(context, Id);
        BinaryPrimitives.WriteInt64LittleEndian(context.AsSpan(8), asking.Value);
        BinaryPrimitives.WriteInt64LittleEndian(context.AsSpan(16), epoch);
        return context;
    }

    public static long IdOf(ReadOnlySpan<byte> context) => BinaryPrimitives.ReadInt64LittleEndian(context);

    public static long EpochOf(ReadOnlySpan<byte> context) => BinaryPrimitives.ReadInt64LittleEndian(context[16..]);

    private const int ContextBytes = 24;
}

/// <summary>
/// Linearizable reads, many to a round: while one round is on its way the next gathers. Invariant: a read joins only a
/// round that begins after the read arrived (Raft §6.4).
/// </summary>
internal sealed class ReadRounds(long retryUs)
{
    private readonly Queue<ReadRound> _confirmed = new();
    private readonly SeededBug _planted = SeededBugs.Planted;
    private List<ReadTicket> _gathering = [];
    private ReadRound? _current;
    private long _lastId;

    public bool IsEmpty => _gathering.Count == 0 && _current is null && _confirmed.Count == 0;

    public void Add(ReadTicket ticket)
    {
        if (_planted == SeededBug.ReadsJoinRoundUnderWay && _current is { } current)
            current.Tickets.Add(ticket);
        else
            _gathering.Add(ticket);
    }

    /// <summary>The round to begin now, or null: nothing to ask, or one is on its way and not yet overdue.</summary>
    public ReadRound? TryBegin(long nowUs)
    {
        if (_current is { } current)
        {
            if (nowUs - current.BegunUs < retryUs)
                return null;
            // A message of the round was lost: its reads ask again in a new round.
            _gathering.InsertRange(0, current.Tickets);
            _current = null;
        }
        if (_gathering.Count == 0)
            return null;
        _current = new ReadRound(++_lastId, nowUs, _gathering);
        _gathering = [];
        return _current;
    }

    public void QuorumConfirmed(long roundId, long readIndex)
    {
        if (_current?.Id == roundId)
        {
            _current.ReadIndex = readIndex;
            MoveIfConfirmed();
        }
    }

    public void EpochConfirmed(ReadRound round)
    {
        if (ReferenceEquals(_current, round))
        {
            round.EpochConfirmed = true;
            MoveIfConfirmed();
        }
    }

    /// <summary>Reads whose round is confirmed and whose index is applied.</summary>
    public void TakeServable(long appliedIndex, List<ReadTicket> servable)
    {
        while (_confirmed.TryPeek(out ReadRound? round) && round.ReadIndex <= appliedIndex)
        {
            servable.AddRange(round.Tickets);
            _confirmed.Dequeue();
        }
    }

    /// <summary>Everything that still waits for a quorum: leadership or the activation was lost.</summary>
    public void TakeUnconfirmed(List<ReadTicket> tickets)
    {
        if (_current is { } current)
            tickets.AddRange(current.Tickets);
        _current = null;
        tickets.AddRange(_gathering);
        _gathering.Clear();
    }

    public void TakeAll(List<ReadTicket> tickets)
    {
        TakeUnconfirmed(tickets);
        while (_confirmed.TryDequeue(out ReadRound? round))
            tickets.AddRange(round.Tickets);
    }

    /// <summary>Reads past their deadline.</summary>
    public void TakeOverdue(long nowUs, List<ReadTicket> overdue)
    {
        TakeOverdue(_gathering, nowUs, overdue);
        if (_current is { } current)
            TakeOverdue(current.Tickets, nowUs, overdue);
        // Those that only wait for the index to be applied: a replica whose database is away applies nothing.
        foreach (ReadRound round in _confirmed)
            TakeOverdue(round.Tickets, nowUs, overdue);
    }

    /// <summary>From a list in the order of arrival.</summary>
    public static void TakeOverdue<T>(List<T> tickets, long nowUs, List<ReadTicket> overdue)
        where T : ReadTicket
    {
        // They arrive in order of their deadlines, so the first tells about the rest.
        int count = 0;
        while (count < tickets.Count && tickets[count].DeadlineUs <= nowUs)
            count++;
        if (count == 0)
            return;
        overdue.AddRange(tickets.GetRange(0, count));
        tickets.RemoveRange(0, count);
    }

    private void MoveIfConfirmed()
    {
        if (_current is not { IsConfirmed: true } round)
            return;
        _confirmed.Enqueue(round);
        _current = null;
    }
}
