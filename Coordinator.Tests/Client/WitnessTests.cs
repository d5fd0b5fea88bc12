using Coordinator.Client.Machine;
using Coordinator.Contracts;

namespace Coordinator.Tests.Client;

/// <summary>A client remembers how far it has seen, and nothing older is shown to it (rule 23).</summary>
public sealed class WitnessTests
{
    private readonly MachineHost _host = new();

    [Fact]
    public void Every_read_carries_the_highest_index_of_any_answer()
    {
        _host.AcquireNow();
        Read(out _, seen: 0, answeredAt: 70);
        Read(out _, seen: 70, answeredAt: 71);
        Read(out _, seen: 71, answeredAt: 71);
    }

    [Fact]
    public void An_answer_from_before_what_was_seen_is_not_shown()
    {
        _host.AcquireNow();
        Read(out _, seen: 0, answeredAt: 70);

        Read(out object caller, seen: 70, answeredAt: 69);

        Assert.Equal(ErrorCode.RolledBack, Assert.IsType<Completion.Refused>(_host.Completed[caller]).Code);
    }

    [Fact]
    public void A_replica_that_is_behind_is_asked_again()
    {
        _host.AcquireNow();
        Read(out object caller, seen: 0, answeredAt: 70, ErrorCode.ReplicaBehind);

        Assert.False(_host.Completed.ContainsKey(caller));
    }

    private void Read(out object caller, long seen, long answeredAt, ErrorCode error = ErrorCode.KeyNotFound)
    {
        caller = _host.Submit(new QueryOperation(new Query { GetConfig = new GetConfig { Key = "k" } }));
        ClientFrame asked = _host.Take();
        Assert.Equal(seen, asked.Query.SeenIndex);
        _host.Receive(new ServerFrame
        {
            CorrelationId = asked.CorrelationId,
            Query = new QueryAnswer { Error = error, Position = new Position { Index = answeredAt } },
        });
    }
}
