using Coordinator.Client.Machine;
using Coordinator.Contracts;

namespace Coordinator.Tests.Client;

/// <summary>The machine of one group among three: what its frames say, what it doesn't hear, what it passes on.</summary>
public sealed class MachineGroupTests
{
    private const string OfGroup0 = "users/1";
    private const string OfGroup1 = "orders/1";
    private const string OfGroup2 = "a/1";
    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(5);

    [Fact]
    public void Every_frame_names_the_machines_group()
    {
        MachineHost host = new(group: 1, groups: 3) { ShowsObservers = true };
        host.Submit(new AcquireOperation(OfGroup1, Wait));
        host.Submit(new QueryOperation(new Query { GetConfig = new GetConfig { Key = OfGroup1 } }));
        host.Submit(new ElectionStream(OfGroup1));
        host.Submit(new ReleaseLeaseOperation(OfGroup1, 5, null));
        host.Connect();
        ClientFrame create = host.TakeNext(frame => frame.Command?.CreateSession is not null);
        Assert.Equal(1, create.Group);
        host.Disconnect();
        host.Connect();
        Assert.Equal(4, host.Sent.Count);
        Assert.All(host.Sent, frame => Assert.Equal(1, frame.Group));
        create = host.TakeNext(frame => frame.Command?.CreateSession is not null);
        host.Answer(create, new CommandResult { Outcome = Outcome.Done, SessionId = 7 });
        host.Answer(host.Take(Command.OperationOneofCase.AcquireLock), Outcome.Granted, 42);
        ClientFrame observer = host.TakeNext(frame => frame.Watch?.Session is not null);
        Assert.Equal(1, observer.Group);
        host.Disconnect();
        host.Connect();

        Assert.Contains(host.Sent, frame => frame.KeepAlive is not null);
        Assert.All(host.Sent, frame => Assert.Equal(1, frame.Group));
    }

    [Fact]
    public void The_end_of_another_groups_session_of_the_same_id_ends_nothing()
    {
        MachineHost host = new(group: 1, groups: 3);
        host.AcquireNow(OfGroup1);

        host.Receive(Ended(0));
        host.Receive(Ended(2));
        Assert.Empty(host.Lost);
        host.Receive(Ended(1));
        Assert.Equal(7, Assert.Single(host.Lost).Id);

        static ServerFrame Ended(int group) => new()
        {
            SessionEnded = new SessionEnded { SessionId = 7, Reason = "expired", Group = group },
        };
    }

    [Fact]
    public void An_answer_from_another_groups_state_answers_nothing_and_moves_no_position()
    {
        MachineHost host = new(group: 1, groups: 3);
        object caller = host.Submit(Read());
        host.Connect();
        long asked = host.Take().CorrelationId;

        host.Receive(Answered(asked, group: 2, index: 900));
        Assert.Empty(host.Completed);
        host.Receive(Answered(asked, group: 1, index: 50));
        Assert.IsType<Completion.Read>(host.Completed[caller]);

        host.Submit(Read());
        Assert.Equal(50, host.Take().Query.SeenIndex);

        static QueryOperation Read() => new(new Query { GetConfig = new GetConfig { Key = OfGroup1 } });
        static ServerFrame Answered(long asked, int group, long index) => new()
        {
            CorrelationId = asked,
            Query = new QueryAnswer { Position = new Position { Group = group, Index = index } },
        };
    }

    [Fact]
    public void A_silo_of_a_cluster_with_another_number_of_groups_is_left_for_the_next()
    {
        MachineHost host = new(group: 1, groups: 3, endpoints: ["http://one", "http://two"]);
        host.Submit(new AcquireOperation(OfGroup1, Wait));
        host.Greet(groups: 4);
        Assert.Equal(["http://one", "http://two"], host.Connects);
        host.Greet(groups: 0);
        host.Pass(TimeSpan.FromSeconds(2));
        Assert.Empty(host.Sent);
        host.Greet(groups: 3);
        host.Take(Command.OperationOneofCase.CreateSession);
    }

    [Fact]
    public void What_the_first_welcome_shows_to_be_for_other_groups_is_handed_back_unsent_and_in_order()
    {
        MachineHost host = new();
        object lease = host.Submit(At(new ReleaseLeaseOperation(OfGroup2, 5, null), Scope.Of(OfGroup2)));
        AcquireOperation first = At(new AcquireOperation(OfGroup1, Wait), Scope.Of(OfGroup1));
        AcquireOperation second = At(new AcquireOperation(OfGroup1, Wait), Scope.Of(OfGroup1));
        object[] elsewhere = [host.Submit(first), host.Submit(second)];
        object watch = host.Submit(At(new ElectionStream(OfGroup2), Scope.Of(OfGroup2)));
        object spanning = host.Submit(At(new AcquireOperation(OfGroup0, Wait), Scope.Of([OfGroup0, OfGroup1])));
        host.Submit(At(new AcquireOperation(OfGroup0, Wait), Scope.Of(OfGroup0)));
        object greet = host.Submit(new GreetOperation());

        host.Greet(groups: 3);

        Assert.Equal([greet, lease, .. elsewhere, watch, spanning], host.Completed.Keys);
        Assert.All(host.Completed.Where(pair => pair.Key != greet), pair => Assert.IsType<Completion.Elsewhere>(pair.Value));
        Assert.Equal(new Completion.Greeted(3), host.Completed[greet]);
        host.Answer(host.Take(Command.OperationOneofCase.CreateSession),
            new CommandResult { Outcome = Outcome.Done, SessionId = 7 });
        Assert.Equal(OfGroup0, host.Take(Command.OperationOneofCase.AcquireLock).Command.AcquireLock.Name);
        Assert.Empty(host.Sent);
        Assert.IsType<Completion.Elsewhere>(host.Completed[host.Submit(At(new ElectionStream(OfGroup1), Scope.Of(OfGroup1)))]);
    }

    [Fact]
    public void What_was_handed_back_waits_on_in_its_group_only_as_long_as_it_was_to_from_the_beginning()
    {
        MachineHost elsewhere = new();
        MachineHost here = new(group: 1, groups: 3);
        AcquireOperation acquire = At(new AcquireOperation(OfGroup1, Wait), Scope.Of(OfGroup1));
        QueryOperation read = At(new QueryOperation(new Query { GetConfig = new GetConfig { Key = OfGroup1 } }), Scope.Of(OfGroup1));
        elsewhere.Submit(acquire);
        elsewhere.Submit(read);
        elsewhere.Pass(TimeSpan.FromSeconds(3));
        elsewhere.Greet(groups: 3);

        here.Pass(TimeSpan.FromSeconds(3));
        object acquiring = here.Submit(acquire);
        object reading = here.Submit(read);
        here.Connect();
        here.TakeNext(frame => frame.Query is not null);
        here.Answer(here.Take(Command.OperationOneofCase.CreateSession),
            new CommandResult { Outcome = Outcome.Done, SessionId = 7 });
        Assert.Equal(2_000_000, here.Take(Command.OperationOneofCase.AcquireLock).Command.AcquireLock.WaitUs);

        here.Pass(TimeSpan.FromSeconds(7));
        Assert.IsType<Completion.TimedOut>(here.Completed[reading]);
        Assert.DoesNotContain(acquiring, here.Completed.Keys);
    }

    [Fact]
    public void Who_waits_for_the_first_welcome_is_told_like_any_other_that_none_came()
    {
        MachineHost host = new();
        object late = host.Submit(new GreetOperation());
        GreetOperation left = new();
        object cancelled = host.Submit(left);
        Assert.Single(host.Connects);
        host.Cancel(left);
        Assert.IsType<Completion.Cancelled>(host.Completed[cancelled]);
        host.PassTicking(TimeSpan.FromSeconds(11));
        Assert.IsType<Completion.TimedOut>(host.Completed[late]);
        object stopped = host.Submit(new GreetOperation());
        host.Shutdown();
        Assert.IsType<Completion.Stopped>(host.Completed[stopped]);
        Assert.True(host.IsStopped);
    }

    private static T At<T>(T operation, Scope scope) where T : Operation
    {
        operation.Scope = scope;
        return operation;
    }
}
