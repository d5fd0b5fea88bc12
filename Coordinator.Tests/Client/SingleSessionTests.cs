using Coordinator.Client.Machine;
using Coordinator.Contracts;

namespace Coordinator.Tests.Client;

/// <summary>A client that is one session for all of its life.</summary>
public sealed class SingleSessionTests
{
    private readonly MachineHost _host = new(isSingleSession: true);

    [Fact]
    public void It_is_opened_without_anything_else_being_asked_for()
    {
        Session session = Open();
        Assert.Equal(7, session.Id);
        Assert.Empty(_host.Sent);
    }

    [Fact]
    public void Once_lost_no_other_takes_its_place()
    {
        Open();
        object waiting = _host.Submit(new AcquireOperation("a", Timeout.InfiniteTimeSpan));
        _host.Take(Command.OperationOneofCase.AcquireLock);

        _host.Receive(new ServerFrame { SessionEnded = new SessionEnded { SessionId = 7, Reason = "expired" } });
        object late = _host.Submit(new AcquireOperation("a", TimeSpan.Zero));

        Assert.Equal(ErrorCode.SessionNotFound, Assert.IsType<Completion.Refused>(_host.Completed[waiting]).Code);
        Assert.Equal(ErrorCode.SessionNotFound, Assert.IsType<Completion.Refused>(_host.Completed[late]).Code);
        Assert.Empty(_host.Sent);
    }

    private Session Open()
    {
        object caller = _host.Submit(new OpenSessionOperation());
        _host.Connect();
        _host.Answer(_host.Take(Command.OperationOneofCase.CreateSession),
            new CommandResult { Outcome = Outcome.Done, SessionId = 7 });
        return Assert.IsType<Completion.Opened>(_host.Completed[caller]).Session;
    }
}
