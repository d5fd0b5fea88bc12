using Coordinator.Contracts;
using Coordinator.Replica.State;
using Google.Protobuf;

namespace Coordinator.Tests.State;

/// <summary>Rule 9: replicas that differ in anything have another hash; those that agree have the same one.</summary>
public sealed class ContentsHashTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void After_any_log_the_hash_that_was_kept_up_is_the_one_computed_from_the_contents(int seed)
    {
        var random = new Random(seed);
        var source = new CommandSource(random);
        var group = new Group();
        var other = new Group();
        for (int step = 0; step < 400; step++)
        {
            Command command = random.Next(3) == 0 ? ChangeOfConfig(random) : source.Next(group.State.LogTimeUs, group.State.Revision);
            long stamp = source.Stamp(group.State.LogTimeUs);
            ApplyResult result = group.Apply(command, stamp);
            if (command.CreateSession is not null && result.Result.Error == ErrorCode.Ok)
                source.SessionCreated(result.Result.SessionId);
            other.Apply(command, stamp);
            Assert.Equal(group.State.ContentsHash(), other.State.ContentsHash());
            if (step % 20 == 0)
                Assert.Equal(group.State.ContentsHash(), group.Copy().State.ContentsHash());
        }
        Assert.NotEqual(0, group.State.Config.Records.Count);
    }

    [Fact]
    public void A_configuration_that_is_emptied_again_hashes_as_one_that_was_always_empty()
    {
        var group = new Group();
        group.Put("a", "1");
        group.Put("b", "2");
        group.Put("a", "3");
        group.Delete("a");
        group.Delete("b");
        group.Apply(new Command { CompactConfig = new CompactConfig { Revision = 5 } });
        Assert.Equal(0UL, group.State.Config.ContentsHash);
    }

    public static TheoryData<string> Fields =>
        ["key", "value", "content type", "version", "create revision", "modify revision"];

    [Theory]
    [MemberData(nameof(Fields))]
    public void Another_record_has_another_hash(string field)
    {
        ConfigRecord record = Record();
        ulong before = record.HashWith("key");
        ConfigRecord changed = field switch
        {
            "value" => Record(value: "valuf"),
            "content type" => Record(contentType: "text/plaim"),
            "version" => Record(version: 3),
            "create revision" => Record(created: 6),
            "modify revision" => Record(modified: 8),
            _ => record,
        };
        Assert.NotEqual(before, changed.HashWith(field == "key" ? "kez" : "key"));
    }

    // What a snapshot holds is what there is: each byte of it, the checksum aside, is in the hash, or breaks a rule.
    [Fact]
    public void Every_byte_of_a_snapshot_counts()
    {
        var group = new Group();
        long session = group.Create(nonce: new byte[16], metadata: "meta");
        group.Acquire(session, "lock", request: 1);
        group.Acquire(group.Create(), "lock", Group.Unbounded, request: 1);
        group.Put("key", "value", session, request: 2);
        ulong whole = group.State.ContentsHash();
        byte[] snapshot = group.Snapshot();
        int read = 0;
        for (int i = 0; i < snapshot.Length - sizeof(uint); i++)
        {
            byte[] altered = [.. snapshot];
            altered[i] ^= 1;
            BitConverter.TryWriteBytes(altered.AsSpan(altered.Length - sizeof(uint)), Crc32C.End(Crc32C.Add(Crc32C.Start, altered.AsSpan(0, altered.Length - sizeof(uint)))));
            if (TryRead(altered) is not { } state)
                continue;
            read++;
            Assert.True(whole != state.ContentsHash(), $"byte {i} does not count");
        }
        Assert.True(read > 100, $"only {read} altered snapshots could be read");
    }

    private static CoordinationState? TryRead(byte[] snapshot)
    {
        try
        {
            return CoordinationState.ReadSnapshot(snapshot);
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    private static Command ChangeOfConfig(Random random)
    {
        string key = $"key/{random.Next(12)}";
        return random.Next(3) == 0
            ? new Command { DeleteConfig = new DeleteConfig { Key = key } }
            : new Command { PutConfig = new PutConfig { Key = key, Value = ByteString.CopyFromUtf8($"{random.Next(5)}"), ContentType = $"t/{random.Next(3)}" } };
    }

    private static ConfigRecord Record(
        string value = "value", string contentType = "text/plain", long version = 2, long created = 5, long modified = 7) =>
        ConfigRecord.Of(ByteString.CopyFromUtf8(value), contentType, version, created, modified, sessionId: 0);
}
