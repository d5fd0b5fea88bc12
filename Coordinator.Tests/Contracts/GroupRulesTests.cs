using Coordinator.Contracts;

namespace Coordinator.Tests.Contracts;

public sealed class GroupRulesTests
{
    private const int Groups = 4;
    private static readonly string[] In = [.. Enumerable.Range(0, Groups).Select(group => GroupNames.In(group, Groups))];

    [Fact]
    public void A_name_places_a_request_that_says_no_group()
    {
        for (int group = 0; group < Groups; group++)
            Assert.Equal(new GroupRoute(group, null), GroupRules.Route(Put($"{In[group]}/key"), null, Groups));
    }

    [Fact]
    public void A_request_for_another_group_than_its_names_is_refused()
    {
        Assert.Equal(new GroupRoute(2, null), GroupRules.Route(Put($"{In[2]}/key"), 2, Groups));
        AssertRefused(ErrorCode.SpansGroups, GroupRules.Route(Put($"{In[2]}/key"), 1, Groups));
        AssertRefused(ErrorCode.SpansGroups, GroupRules.Route(new Query { GetConfig = new GetConfig { Key = In[2] } }, 1, Groups));
        AssertRefused(
            ErrorCode.SpansGroups,
            GroupRules.Route(new Watch { Election = new ObserveElection { Name = In[2] } }, 1, Groups));
    }

    [Fact]
    public void Every_command_with_a_name_is_refused_by_another_group()
    {
        string name = In[1];
        Command[] commands =
        [
            new() { AcquireLock = new AcquireLock { Name = name } },
            new() { AcquireLock = new AcquireLock { Name = In[0], Also = { new AlsoAcquire { Name = name } } } },
            new() { ReleaseLock = new ReleaseLock { Name = name } },
            new() { DowngradeLock = new DowngradeLock { Name = name } },
            new() { ForceRelease = new ForceRelease { Name = name } },
            new() { RequestRelease = new RequestRelease { Name = name } },
            new() { AcquireLease = new AcquireLease { Name = name } },
            new() { RenewLease = new RenewLease { Name = name } },
            new() { ReleaseLease = new ReleaseLease { Name = name } },
            new() { Proclaim = new Proclaim { Name = name } },
            new() { HandOver = new HandOver { Name = name } },
            new() { PutConfig = new PutConfig { Key = name } },
            new() { DeleteConfig = new DeleteConfig { Key = name } },
            new() { RollBackConfig = new RollBackConfig { Prefix = $"{name}/" } },
            new() { Transaction = new Transaction { Compares = { new Compare { Key = name } } } },
            new() { Transaction = new Transaction { Then = { new ConfigOperation { Put = new PutConfig { Key = name } } } } },
            new() { Transaction = new Transaction { Else = { new ConfigOperation { Delete = new DeleteConfig { Key = name } } } } },
            new() { Transaction = new Transaction { Else = { new ConfigOperation { Get = new ReadKey { Key = name } } } } },
            new()
            {
                Transaction = new Transaction
                {
                    Then = { new ConfigOperation { DeletePrefix = new DeletePrefix { Prefix = $"{name}/" } } },
                },
            },
        ];
        foreach (Command command in commands)
            AssertRefused(ErrorCode.SpansGroups, GroupRules.Route(command, 0, Groups));
        // What is left has no name, or a part of the prefix's names in each group.
        Assert.Equal(
            commands.Select(command => command.OperationCase).Order()
                .Concat([
                    Command.OperationOneofCase.None, Command.OperationOneofCase.CreateSession, Command.OperationOneofCase.KeepAlive,
                    Command.OperationOneofCase.EndSession, Command.OperationOneofCase.AdvanceTime,
                    Command.OperationOneofCase.CancelWait, Command.OperationOneofCase.ChangePeers,
                    Command.OperationOneofCase.RaiseFeatureLevel, Command.OperationOneofCase.CheckState,
                    Command.OperationOneofCase.CompactConfig])
                .Distinct().Order(),
            Enum.GetValues<Command.OperationOneofCase>().Order());
    }

    [Fact]
    public void Names_of_two_groups_in_one_request_are_refused_with_both_of_them()
    {
        GroupRoute route = GroupRules.Route(
            new Command { AcquireLock = new AcquireLock { Name = $"{In[0]}/a", Also = { new AlsoAcquire { Name = $"{In[3]}/b" } } } },
            null, Groups);
        AssertRefused(ErrorCode.SpansGroups, route);
        Assert.Contains($"{In[0]}/a", route.Refusal!.Value.Message, StringComparison.Ordinal);
        Assert.Contains($"{In[3]}/b", route.Refusal.Value.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_prefix_that_is_no_whole_namespace_needs_a_group()
    {
        var list = new Query { ListConfig = new ListConfig { Prefix = "ns" } };
        AssertRefused(ErrorCode.SpansGroups, GroupRules.Route(list, null, Groups));
        Assert.Equal(new GroupRoute(3, null), GroupRules.Route(list, 3, Groups));
        var whole = new Query { ListConfig = new ListConfig { Prefix = $"{In[2]}/" } };
        Assert.Equal(new GroupRoute(2, null), GroupRules.Route(whole, null, Groups));
        AssertRefused(ErrorCode.SpansGroups, GroupRules.Route(whole, 1, Groups));
    }

    [Fact]
    public void A_transaction_deletes_no_prefix_that_is_in_several_groups()
    {
        var half = new Command
        {
            Transaction = new Transaction
            {
                Then =
                {
                    new ConfigOperation { Put = new PutConfig { Key = In[0] } },
                    new ConfigOperation { DeletePrefix = new DeletePrefix { Prefix = "n" } },
                },
            },
        };
        AssertRefused(ErrorCode.SpansGroups, GroupRules.Route(half, 0, Groups));
    }

    [Fact]
    public void What_names_nothing_has_to_say_its_group()
    {
        var list = new Query { ListSessions = new ListSessions() };
        AssertRefused(ErrorCode.InvalidRequest, GroupRules.Route(list, null, Groups));
        Assert.Equal(new GroupRoute(1, null), GroupRules.Route(list, 1, Groups));
        AssertRefused(ErrorCode.InvalidRequest, GroupRules.Route(list, Groups, Groups));
        AssertRefused(ErrorCode.InvalidRequest, GroupRules.Route(list, -1, Groups));
    }

    [Fact]
    public void A_cluster_of_one_group_takes_all_names_and_no_other_group()
    {
        Assert.Equal(new GroupRoute(0, null), GroupRules.Route(Put("any"), null, 1));
        Assert.Equal(new GroupRoute(0, null), GroupRules.Route(new Query { ListSessions = new ListSessions() }, 0, 1));
        AssertRefused(ErrorCode.InvalidRequest, GroupRules.Route(Put("any"), 1, 1));
    }

    private static Command Put(string key) => new() { PutConfig = new PutConfig { Key = key } };

    private static void AssertRefused(ErrorCode code, GroupRoute route) => Assert.Equal(code, route.Refusal?.Code);
}
