using Coordinator.Contracts;

namespace Coordinator.Tests.Contracts;

public sealed class WatchRulesTests
{
    [Fact]
    public void A_watch_is_of_exactly_one_thing()
    {
        Expect(ErrorCode.InvalidRequest, new Watch());
        Expect(ErrorCode.Ok, new Watch { Config = new WatchConfig { Key = "k" } });
        Expect(ErrorCode.Ok, new Watch { Election = new ObserveElection { Name = "e" } });
        Expect(ErrorCode.Ok, new Watch { Session = new ObserveSession { SessionId = 1 } });
    }

    [Fact]
    public void A_key_is_a_name_and_a_prefix_may_be_empty_or_end_in_a_slash()
    {
        Expect(ErrorCode.InvalidName, new Watch { Config = new WatchConfig { Key = "" } });
        Expect(ErrorCode.InvalidName, new Watch { Config = new WatchConfig { Key = "a/" } });
        Expect(ErrorCode.Ok, new Watch { Config = new WatchConfig { Key = "", IsPrefix = true } });
        Expect(ErrorCode.Ok, new Watch { Config = new WatchConfig { Key = "a/", IsPrefix = true } });
        Expect(ErrorCode.InvalidName, new Watch { Config = new WatchConfig { Key = "a\n", IsPrefix = true } });
        Expect(ErrorCode.InvalidName, new Watch { Election = new ObserveElection { Name = "a//b" } });
    }

    [Fact]
    public void A_prefix_is_as_long_as_a_name_may_be_and_no_longer()
    {
        Expect(ErrorCode.Ok, Prefix(Limits.NameBytesMax));
        Expect(ErrorCode.InvalidName, Prefix(Limits.NameBytesMax + 1));
    }

    [Fact]
    public void Positions_are_not_negative()
    {
        Expect(ErrorCode.InvalidRequest, new Watch { SeenIndex = -1, Config = new WatchConfig { Key = "k" } });
        Expect(ErrorCode.InvalidRequest, new Watch { Config = new WatchConfig { Key = "k", FromRevision = -1 } });
        Expect(ErrorCode.InvalidRequest, Seen(new ElectionState { Token = -1 }));
        Expect(ErrorCode.InvalidRequest, Seen(new ElectionState { SessionId = -1 }));
        Expect(ErrorCode.Ok, Seen(new ElectionState()));
        Expect(ErrorCode.InvalidRequest, new Watch { Session = new ObserveSession { SessionId = 1, SeenNotice = -1 } });
    }

    [Fact]
    public void A_session_has_an_id() =>
        Expect(ErrorCode.InvalidRequest, new Watch { Session = new ObserveSession { SessionId = 0 } });

    private static Watch Prefix(int length) => new() { Config = new WatchConfig { Key = new string('k', length), IsPrefix = true } };

    private static Watch Seen(ElectionState seen) => new() { Election = new ObserveElection { Name = "e", Seen = seen } };

    private static void Expect(ErrorCode expected, Watch watch) =>
        Assert.Equal(expected, WatchRules.Check(watch)?.Code ?? ErrorCode.Ok);
}
