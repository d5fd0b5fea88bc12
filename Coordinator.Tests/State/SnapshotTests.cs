using System.Buffers.Binary;
using Coordinator.Contracts;
using Coordinator.Replica.State;
using Google.Protobuf;

namespace Coordinator.Tests.State;

public sealed class SnapshotTests
{
    [Fact]
    public void A_snapshot_read_and_written_again_has_the_same_bytes()
    {
        Group group = Lively();

        Group copy = group.Copy();

        Assert.Equal(group.Snapshot(), copy.Snapshot());
        Assert.Equal(group.State.Hash, copy.State.Hash);
        Assert.Equal(group.State.ComputeStateHash(), copy.State.ComputeStateHash());
        Assert.Equal(group.State.NextDueUs, copy.State.NextDueUs);
        Assert.Equal(group.State.Membership, copy.State.Membership);
        Assert.Equal(
            (group.State.AppliedIndex, group.State.AppliedTerm, group.State.LogTimeUs, group.State.FeatureLevel),
            (copy.State.AppliedIndex, copy.State.AppliedTerm, copy.State.LogTimeUs, copy.State.FeatureLevel));
    }

    [Fact]
    public void A_copy_expires_hands_on_and_remembers_like_the_original()
    {
        Group group = Lively();
        Group copy = group.Copy();

        for (int i = 0; i < 70; i++)
        {
            long stamp = group.State.LogTimeUs + Group.Second;
            Assert.Equal(group.Advance(stamp).Result, copy.Advance(stamp).Result);
            Assert.Equal(group.Effects.WaitsEnded, copy.Effects.WaitsEnded);
            Assert.Equal(group.Effects.SessionsEnded, copy.Effects.SessionsEnded);
            Assert.Equal(group.State.Hash, copy.State.Hash);
        }
        Assert.Equal(0, copy.State.SessionCount);
        Assert.Equal(group.Snapshot(), copy.Snapshot());
    }

    [Fact]
    public void A_copy_knows_stored_results_nonces_and_cancelled_requests()
    {
        byte[] nonce = [.. Enumerable.Repeat((byte)9, 16)];
        var group = new Group();
        long a = group.Create(nonce: nonce);
        long b = group.Create();
        long token = group.Acquire(a, "x", request: 4, answered: 3).Result.Token;
        group.Acquire(b, "x", Group.Unbounded, request: 1);
        long wait = group.LastIndex;
        group.Cancel(b, target: 2);

        Group copy = group.Copy();

        Assert.Equal(a, copy.Create(nonce: nonce));
        Group.IsGranted(copy.Acquire(a, "x", request: 4), token);
        Group.IsRefused(copy.Put("k", "v", a, request: 2), ErrorCode.RequestIdStale);
        Group.IsRefused(copy.Put("k", "v", a, request: 4), ErrorCode.RequestMismatch);
        Group.IsQueued(copy.Acquire(b, "x", Group.Unbounded, request: 1), wait);
        Group.IsCancelled(copy.Acquire(b, "y", Group.Unbounded, request: 2));
    }

    [Fact]
    public void The_hash_tells_apart_logs_that_differ_in_a_single_value_or_stamp()
    {
        Group original = new();
        original.Apply(PutCommand);
        Group otherValue = new();
        otherValue.Put("k", "2");
        Group otherStamp = new();
        otherStamp.Apply(PutCommand, stamp: 1);
        Group same = new();
        same.Apply(PutCommand);

        Assert.Equal(original.State.Hash, same.State.Hash);
        Assert.NotEqual(original.State.Hash, otherValue.State.Hash);
        Assert.NotEqual(original.State.Hash, otherStamp.State.Hash);
        Assert.NotEqual(original.State.ComputeStateHash(), otherValue.State.ComputeStateHash());
    }

    [Fact]
    public void Every_flipped_bit_is_refused()
    {
        byte[] bytes = Lively().Snapshot();
        for (int i = 0; i < bytes.Length; i++)
        {
            for (int bit = 0; bit < 8; bit++)
            {
                bytes[i] ^= (byte)(1 << bit);
                Assert.Throws<InvalidDataException>(() => CoordinationState.ReadSnapshot(bytes));
                bytes[i] ^= (byte)(1 << bit);
            }
        }
    }

    [Fact]
    public void Every_cut_is_refused()
    {
        byte[] bytes = Lively().Snapshot();
        for (int length = 0; length < bytes.Length; length++)
            Assert.Throws<InvalidDataException>(() => CoordinationState.ReadSnapshot(bytes.AsMemory(0, length)));
    }

    [Fact]
    public void A_changed_byte_under_a_right_checksum_is_refused_or_gives_a_state_that_stands()
    {
        byte[] bytes = Lively().Snapshot();
        int refused = 0;
        for (int i = 0; i < bytes.Length - 4; i++)
        {
            foreach (byte change in (byte[])[0x01, 0x80, 0xff])
            {
                bytes[i] ^= change;
                Seal(bytes);
                if (TryRead(bytes) is { } group)
                {
                    Assert.Equal(bytes, group.Snapshot());
                    group.Advance(group.State.LogTimeUs);
                }
                else
                {
                    refused++;
                }
                bytes[i] ^= change;
            }
        }
        Assert.True(refused > bytes.Length, $"only {refused} changes were refused");
    }

    [Fact]
    public void A_cut_under_a_right_checksum_is_refused()
    {
        byte[] bytes = Lively().Snapshot();
        for (int length = 4; length < bytes.Length; length++)
        {
            byte[] cut = bytes[..length];
            Seal(cut);
            Assert.Null(TryRead(cut));
        }
        byte[] longer = [.. bytes, 0, 0];
        Seal(longer);
        Assert.Null(TryRead(longer));
    }

    [Theory]
    [InlineData(0, "no snapshot")]
    [InlineData(4, "format version")]
    [InlineData(8, "feature level")]
    [InlineData(12, "WaitersPerResource")]
    public void What_is_wrong_is_named(int offset, string named)
    {
        byte[] bytes = new Group().Snapshot();
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(offset), -7);
        Seal(bytes);

        var refusal = Assert.Throws<InvalidDataException>(() => CoordinationState.ReadSnapshot(bytes));

        Assert.Contains(named, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_state_larger_than_any_buffer_goes_through()
    {
        var group = new Group();
        for (int i = 0; i < 20; i++)
            group.Put($"big/{i}", new string((char)('a' + i), 100_000));
        for (int i = 0; i < 3000; i++)
            group.Put($"small/{i}", "v");

        Group copy = group.Copy();

        Assert.Equal(group.Snapshot(), copy.Snapshot());
        Assert.Equal(2, copy.Put("small/7", "w").Result.Version);
    }

    private static Command PutCommand => new()
    {
        PutConfig = new PutConfig { Key = "k", Value = ByteString.CopyFromUtf8("1"), ContentType = "text/plain" },
    };

    private static Group Lively()
    {
        var group = new Group();
        long a = group.Create(ttl: 20 * Group.Second, metadata: "host-ä", stamp: 1 * Group.Second);
        long b = group.Create(ttl: 40 * Group.Second, nonce: [.. Enumerable.Range(1, 16).Select(i => (byte)i)]);
        long c = group.Create(ttl: 60 * Group.Second);
        group.Acquire(a, "x", request: 1);
        group.Acquire(b, "x", 25 * Group.Second, request: 1);
        group.Acquire(c, "x", Group.Unbounded, request: 3, answered: 2);
        group.Acquire(c, "y", request: 5);
        group.Acquire(a, "y", 5 * Group.Second);
        group.Acquire(b, "y", Group.Unbounded);
        group.Cancel(b, target: 9);
        HoldAllKinds(group, a, b, c);
        group.Put("k/1", "v", a, request: 2);
        group.Put("k/1", "w");
        group.Put("k/2", "");
        group.Apply(new Command { SessionId = b, PutConfig = new PutConfig { Key = "k/3", BindSession = true } });
        group.Delete("k/2");
        group.Apply(new Command { CompactConfig = new CompactConfig { Revision = 1 } });
        group.KeepAlive(3 * Group.Second, b);
        group.ChangePeers(Group.Add(5));
        group.ChangePeers(Group.Add(4, voter: true), Group.Demote(2), Group.Remove(3));
        return group;
    }

    private static void HoldAllKinds(Group group, long a, long b, long c)
    {
        group.Acquire(a, new AcquireLock { Name = "rw", Shared = true, TraceId = "t-1", LockDelayUs = 4 * Group.Second }, request: 20);
        group.Acquire(a, new AcquireLock { Name = "rw", Shared = true, Reentrant = true }, request: 21);
        group.Acquire(b, new AcquireLock { Name = "rw", Shared = true, MaxHoldUs = 30 * Group.Second });
        group.Acquire(a, new AcquireLock { Name = "rw", Upgrade = true, WaitUs = 15 * Group.Second }, request: 22);
        group.Acquire(c, Group.Permits("s", 2, of: 3), request: 23);
        group.Acquire(c, new AcquireLock
        {
            Name = "rw",
            WaitUs = Group.Unbounded,
            Concurrent = true,
            Also = { new AlsoAcquire { Kind = HoldingKind.Semaphore, Name = "s", Permits = 2, Limit = 3 } },
        });
        group.Acquire(b, new AcquireLock { Kind = HoldingKind.Election, Name = "e", Value = "host-b" });
        group.Acquire(c, new AcquireLock { Kind = HoldingKind.Election, Name = "e", Value = "host-c", WaitUs = Group.Unbounded });
        group.Acquire(a, new AcquireLock { Name = "p", Also = { new AlsoAcquire { Name = "q", Shared = true } } }, request: 24);
        group.Apply(new Command { AcquireLease = new AcquireLease { Name = "l", Owner = "job", TtlUs = 9 * Group.Second } });
        group.Apply(new Command
        {
            AcquireLease = new AcquireLease
            {
                Name = "m",
                Owner = "job",
                TtlUs = 9 * Group.Second,
                Nonce = ByteString.CopyFrom(new byte[16]),
            },
        });
        long dying = group.Create(ttl: Group.Second);
        group.Acquire(dying, new AcquireLock { Name = "d", LockDelayUs = 8 * Group.Second });
        group.Advance(group.State.LogTimeUs + Group.Second);
        group.Apply(new Command { RequestRelease = new RequestRelease { Name = "p", Reason = "please" } });
        group.Acquire(b, new AcquireLock { Name = "f", Label = "stuck job" });
        group.Apply(new Command { ForceRelease = new ForceRelease { Name = "f", Reason = "stuck" }, Caller = "ops" });
    }

    private static Group? TryRead(byte[] bytes)
    {
        try
        {
            return new Group(CoordinationState.ReadSnapshot(bytes));
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    private static void Seal(byte[] bytes) => BinaryPrimitives.WriteUInt32LittleEndian(
        bytes.AsSpan(bytes.Length - 4), Crc32C.End(Crc32C.Add(Crc32C.Start, bytes.AsSpan(0, bytes.Length - 4))));
}
