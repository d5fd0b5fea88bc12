using Coordinator.Contracts;
using Coordinator.Replica.State;
using Coordinator.Simulation.Clients;
using Coordinator.Simulation.Cluster;
using Coordinator.Simulation.Storage;
using Google.Protobuf;

namespace Coordinator.Simulation.Faults;

/// <summary>Stored rows that somebody has changed by hand, checksums included: only a comparison of states can tell.</summary>
internal sealed partial class InjectedFault
{
    /// <summary>Alters what one peer stores while it is down. Once in a run, and it counts as a lost peer.</summary>
    private bool TryAlter(SimulatedPeer peer)
    {
        bool mayAlter = world.IsSound(peer) && !world.Peers.Exists(other => other.IsAltered) && IsMinority([peer]);
        if (!mayAlter || peer.Database.Find(peer.Key) is not { } row)
            return false;
        if (!(random.Chance(0.5) ? TryAlterEntry(peer, row) || TryAlterSnapshot(row) : TryAlterSnapshot(row)))
            return false;
        world.Trace.Add($"peer {peer.Id}: what it stores is altered");
        peer.IsLost = true;
        peer.IsAltered = true;
        peer.CrashAll();
        return true;
    }

    /// <summary>
    /// One that it has yet to apply again, and that all others hold as committed: an altered entry that a leader hands on is
    /// the log for whoever gets it, and no hash can tell.
    /// </summary>
    private bool TryAlterEntry(SimulatedPeer peer, SimulatedRow row)
    {
        long heldByOthers = world.Peers
            .Where(other => other != peer && world.IsSound(other))
            .Min(other => other.Database.Find(other.Key)?.HardState.Commit ?? 0);
        List<int> candidates = [.. Enumerable.Range(0, row.Log.Count).Where(i =>
            row.Log[i].Index > row.Pointer.Index && row.Log[i].Index <= heldByOthers
            && world.Invariants.Log.Find(row.Log[i].Index) is { Command.PutConfig: { Value.IsEmpty: false } put } committed
            && MayAlter(put.Key) && committed.Entry.Term == row.Log[i].Term)];
        if (candidates.Count == 0)
            return false;
        int altered = random.Pick(candidates);
        Command command = Command.Parser.ParseFrom(row.Log[altered].Data.Span);
        command.PutConfig.Value = Altered(command.PutConfig.Value);
        row.Log[altered] = row.Log[altered] with { Data = command.ToByteArray() };
        peer.AlteredIndex = row.Log[altered].Index;
        return true;
    }

    private bool TryAlterSnapshot(SimulatedRow row)
    {
        (long Epoch, long Id) pointed = (row.Pointer.Epoch, row.Pointer.Id);
        var state = CoordinationState.ReadSnapshot(row.Chunks[pointed]);
        var records = new List<(string Key, ConfigRecord Record)>();
        SortedBlocks<string, ConfigRecord, OrdinalOrder>.Cursor all = state.Config.Records.All();
        while (all.MoveNext())
            records.Add((all.Key, all.Current));
        records.RemoveAll(one => one.Record.Value.IsEmpty || !MayAlter(one.Key));
        if (records.Count == 0)
            return false;
        (string key, ConfigRecord altered) = random.Pick(records);
        AlteredRecord.Put(state, key, Altered(altered.Value));
        var bytes = new System.Buffers.ArrayBufferWriter<byte>();
        state.WriteSnapshot(bytes);
        row.Chunks[pointed] = bytes.WrittenMemory;
        return true;
    }

    /// <summary>
    /// Only what no command looks at: otherwise an altered leader would decide other than the log does, and answer so, until
    /// it is found. Reads that it answers are told to nobody.
    /// </summary>
    private static bool MayAlter(string key) => key.StartsWith(KeyFamilies.Plain, StringComparison.Ordinal);

    /// <summary>The same length: nothing else in the row gives it away.</summary>
    private ByteString Altered(ByteString value)
    {
        byte[] bytes = value.ToByteArray();
        bytes[random.Below(bytes.Length)] ^= (byte)(1 << random.Below(8));
        return ByteString.CopyFrom(bytes);
    }
}
