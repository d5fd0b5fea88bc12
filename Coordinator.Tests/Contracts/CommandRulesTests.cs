using Coordinator.Contracts;
using Google.Protobuf;

namespace Coordinator.Tests.Contracts;

public sealed class CommandRulesTests
{
    [Theory]
    [InlineData(499_999, ErrorCode.InvalidTtl)]
    [InlineData(500_000, ErrorCode.Ok)]
    [InlineData(86_400_000_000, ErrorCode.Ok)]
    [InlineData(86_400_000_001, ErrorCode.InvalidTtl)]
    [InlineData(0, ErrorCode.InvalidTtl)]
    [InlineData(-1, ErrorCode.InvalidTtl)]
    [InlineData(long.MaxValue, ErrorCode.InvalidTtl)]
    public void A_ttl_is_between_half_a_second_and_a_day(long ttl, ErrorCode expected) =>
        Expect(expected, new Command { CreateSession = new CreateSession { TtlUs = ttl } });

    [Theory]
    [InlineData(-2, ErrorCode.InvalidWait)]
    [InlineData(-1, ErrorCode.Ok)]
    [InlineData(0, ErrorCode.Ok)]
    [InlineData(86_400_000_000, ErrorCode.Ok)]
    [InlineData(86_400_000_001, ErrorCode.InvalidWait)]
    public void A_wait_is_none_bounded_by_a_day_or_unbounded(long wait, ErrorCode expected) =>
        Expect(expected, Acquire(new AcquireLock { Name = "x", WaitUs = wait }));

    [Theory]
    [InlineData(0, ErrorCode.Ok)]
    [InlineData(15, ErrorCode.InvalidRequest)]
    [InlineData(16, ErrorCode.Ok)]
    [InlineData(17, ErrorCode.InvalidRequest)]
    public void A_nonce_has_16_bytes_or_none(int bytes, ErrorCode expected) => Expect(
        expected,
        new Command { CreateSession = new CreateSession { TtlUs = 1_000_000, Nonce = ByteString.CopyFrom(new byte[bytes]) } });

    [Fact]
    public void A_value_is_at_most_a_mebibyte()
    {
        Expect(ErrorCode.Ok, Put("k", Limits.ValueBytesMax));
        Expect(ErrorCode.ValueTooLarge, Put("k", Limits.ValueBytesMax + 1));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a//b")]
    [InlineData("a/../b")]
    [InlineData("a\nb")]
    public void Names_and_keys_are_valid(string name)
    {
        Expect(ErrorCode.InvalidName, Acquire(new AcquireLock { Name = name }));
        Expect(ErrorCode.InvalidName, new Command { SessionId = 1, ReleaseLock = new ReleaseLock { Name = name } });
        Expect(ErrorCode.InvalidName, Put(name, 1));
        Expect(ErrorCode.InvalidName, new Command { DeleteConfig = new DeleteConfig { Key = name } });
    }

    [Fact]
    public void Labels_metadata_content_types_and_callers_fit_and_hold_no_control_characters()
    {
        foreach (string text in (string[])[new string('x', Limits.LabelBytesMax + 1), "a\0b"])
        {
            Expect(ErrorCode.InvalidRequest, Acquire(new AcquireLock { Name = "x", Label = text }));
            Expect(
                ErrorCode.InvalidRequest,
                new Command { CreateSession = new CreateSession { TtlUs = 1_000_000, Metadata = text } });
            Expect(
                ErrorCode.InvalidRequest,
                new Command { PutConfig = new PutConfig { Key = "k", ContentType = text } });
            Expect(ErrorCode.InvalidRequest, new Command { Caller = text, AdvanceTime = new AdvanceTime() });
        }
    }

    [Fact]
    public void Negative_ids_and_tokens_are_refused()
    {
        Expect(ErrorCode.InvalidRequest, new Command { SessionId = -1, EndSession = new EndSession() });
        Expect(ErrorCode.InvalidRequest, new Command { SessionId = 1, RequestId = -1, EndSession = new EndSession() });
        Expect(ErrorCode.InvalidRequest, new Command { SessionId = 1, AnsweredBelow = -1, EndSession = new EndSession() });
        Expect(
            ErrorCode.InvalidRequest, new Command { SessionId = 1, ReleaseLock = new ReleaseLock { Name = "x", Token = -1 } });
        Expect(ErrorCode.InvalidRequest, new Command { KeepAlive = new KeepAlive { AsOfUs = -1 } });
    }

    [Fact]
    public void What_belongs_to_a_session_names_one_and_what_does_not_names_none()
    {
        Expect(ErrorCode.InvalidRequest, new Command { AcquireLock = new AcquireLock { Name = "x" } });
        Expect(ErrorCode.InvalidRequest, new Command { ReleaseLock = new ReleaseLock { Name = "x" } });
        Expect(ErrorCode.InvalidRequest, new Command { CancelWait = new CancelWait { RequestId = 1 } });
        Expect(ErrorCode.InvalidRequest, new Command { EndSession = new EndSession() });
        Expect(ErrorCode.InvalidRequest, new Command { SessionId = 1, AdvanceTime = new AdvanceTime() });
        Expect(
            ErrorCode.InvalidRequest,
            new Command { SessionId = 1, CreateSession = new CreateSession { TtlUs = 1_000_000 } });
    }

    [Fact]
    public void A_cancel_names_another_request()
    {
        Expect(ErrorCode.InvalidRequest, Cancel(new CancelWait()));
        Expect(ErrorCode.InvalidRequest, Cancel(new CancelWait { RequestId = 0 }));
        Expect(ErrorCode.InvalidRequest, Cancel(new CancelWait { RequestId = 7 }));
        Expect(ErrorCode.InvalidRequest, Cancel(new CancelWait { EntryIndex = -1 }));
        Expect(ErrorCode.Ok, Cancel(new CancelWait { RequestId = 6 }));
        Expect(ErrorCode.Ok, Cancel(new CancelWait { EntryIndex = 7 }));
    }

    [Fact]
    public void A_command_without_an_operation_is_refused() => Expect(ErrorCode.InvalidRequest, new Command());

    [Fact]
    public void Only_leaders_gather_keep_alives_and_let_time_pass()
    {
        var keepAlive = new Command { KeepAlive = new KeepAlive { SessionIds = { 1 }, AsOfUs = long.MaxValue } };
        var advance = new Command { AdvanceTime = new AdvanceTime() };

        Expect(ErrorCode.Ok, keepAlive);
        Assert.Equal(ErrorCode.InvalidRequest, CommandRules.CheckFromClient(keepAlive)?.Code);
        Assert.Equal(ErrorCode.InvalidRequest, CommandRules.CheckFromClient(advance)?.Code);
        Assert.Null(CommandRules.CheckFromClient(new Command { SessionId = 1, EndSession = new EndSession() }));
    }

    private static Command Acquire(AcquireLock acquire) => new() { SessionId = 1, AcquireLock = acquire };

    private static Command Cancel(CancelWait cancel) => new() { SessionId = 1, RequestId = 7, CancelWait = cancel };

    private static Command Put(string key, int bytes) =>
        new() { PutConfig = new PutConfig { Key = key, Value = ByteString.CopyFrom(new byte[bytes]) } };

    private static void Expect(ErrorCode expected, Command command)
    {
        (ErrorCode Code, string Message)? refusal = CommandRules.Check(command);
        Assert.Equal(expected, refusal?.Code ?? ErrorCode.Ok);
        Assert.NotEqual("", refusal?.Message);
    }

    [Theory]
    [InlineData(0, 1, false)]
    [InlineData(2, 9, false)]
    [InlineData(2, 2, true)]
    [InlineData(0, 0, true)]
    public void Nobody_can_have_answers_to_requests_that_he_has_not_made(long requestId, long answeredBelow, bool valid)
    {
        var command = new Command
        {
            SessionId = 1,
            RequestId = requestId,
            AnsweredBelow = answeredBelow,
            EndSession = new EndSession(),
        };
        Assert.Equal(valid, CommandRules.CheckFromClient(command) is null);
    }
}
