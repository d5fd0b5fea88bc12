using Coordinator.Contracts;
using Google.Protobuf;

namespace Coordinator.Tests.Contracts;

/// <summary>Limits of single fields, at the limit and one past it.</summary>
public sealed class FieldLimitTests
{
    private static readonly long HoldMaxUs = (long)Limits.HoldMax.TotalMicroseconds;
    private static readonly long LockDelayMaxUs = (long)Limits.LockDelayMax.TotalMicroseconds;

    [Fact]
    public void A_holding_lasts_a_day_at_most()
    {
        Expect(ErrorCode.Ok, Acquire(new AcquireLock { Name = "x", MaxHoldUs = HoldMaxUs }));
        Expect(ErrorCode.InvalidHoldTime, Acquire(new AcquireLock { Name = "x", MaxHoldUs = HoldMaxUs + 1 }));
        Expect(ErrorCode.InvalidHoldTime, Acquire(new AcquireLock { Name = "x", MaxHoldUs = -1 }));
    }

    [Fact]
    public void A_lock_delay_lasts_a_minute_at_most_of_leases_too()
    {
        foreach ((long us, ErrorCode code) in new[]
            { (LockDelayMaxUs, ErrorCode.Ok), (LockDelayMaxUs + 1, ErrorCode.InvalidHoldTime), (-1, ErrorCode.InvalidHoldTime) })
        {
            Expect(code, Acquire(new AcquireLock { Name = "x", LockDelayUs = us }));
            Expect(code, new Command { AcquireLease = new AcquireLease { Name = "x", TtlUs = 1_000_000, LockDelayUs = us } });
        }
    }

    [Fact]
    public void So_many_peers_change_at_once_and_no_more()
    {
        Expect(ErrorCode.Ok, Removing(CommandRules.PeerChangesMax));
        Expect(ErrorCode.InvalidRequest, Removing(CommandRules.PeerChangesMax + 1));
        Expect(ErrorCode.InvalidRequest, Removing(0));
    }

    [Theory]
    [InlineData(15, false)]
    [InlineData(16, true)]
    [InlineData(17, false)]
    [InlineData(0, false)]
    public void An_addition_of_a_peer_has_a_nonce_of_16_bytes(int bytes, bool valid) => Assert.Equal(
        valid,
        ClusterRules.Check(new ClusterRequest { AddPeer = new GrowGroup { Nonce = ByteString.CopyFrom(new byte[bytes]) } }) is null);

    private static Command Removing(int count) => new()
    {
        ChangePeers = new ChangePeers
        {
            Changes = { Enumerable.Range(1, count).Select(peer => new PeerChange { Remove = peer }) },
        },
    };

    private static Command Acquire(AcquireLock acquire) => new() { SessionId = 1, AcquireLock = acquire };

    private static void Expect(ErrorCode expected, Command command) =>
        Assert.Equal(expected, CommandRules.Check(command)?.Code ?? ErrorCode.Ok);
}
