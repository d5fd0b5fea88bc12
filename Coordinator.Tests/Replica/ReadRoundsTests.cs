using Coordinator.Contracts;
using Coordinator.Replica;

namespace Coordinator.Tests.Replica;

public sealed class ReadRoundsTests
{
    private readonly ReadRounds _rounds = new(retryUs: 100);
    private readonly List<ReadTicket> _taken = [];

    private QueryTicket Add()
    {
        var ticket = new QueryTicket(new Query()) { DeadlineUs = 1_000 };
        _rounds.Add(ticket);
        return ticket;
    }

    [Fact]
    public void A_read_that_arrives_during_a_round_waits_for_the_next()
    {
        QueryTicket first = Add();
        ReadRound round = _rounds.TryBegin(0)!;
        Add();
        Assert.Null(_rounds.TryBegin(1));
        Assert.Equal([first], round.Tickets);
    }

    [Fact]
    public void A_round_serves_once_the_quorum_and_the_epoch_are_confirmed_and_its_index_is_applied()
    {
        QueryTicket ticket = Add();
        ReadRound round = _rounds.TryBegin(0)!;
        _rounds.QuorumConfirmed(round.Id, readIndex: 10);
        _rounds.TakeServable(10, _taken);
        Assert.Empty(_taken);
        _rounds.EpochConfirmed(round);
        _rounds.TakeServable(9, _taken);
        Assert.Empty(_taken);
        _rounds.TakeServable(10, _taken);
        Assert.Equal([ticket], _taken);
    }

    [Fact]
    public void An_overdue_round_is_asked_again_and_its_late_answer_no_longer_counts()
    {
        QueryTicket ticket = Add();
        ReadRound lost = _rounds.TryBegin(0)!;
        ReadRound again = _rounds.TryBegin(100)!;
        Assert.Equal([ticket], again.Tickets);
        _rounds.EpochConfirmed(again);
        _rounds.QuorumConfirmed(lost.Id, readIndex: 1);
        _rounds.TakeServable(1, _taken);
        Assert.Empty(_taken);
        _rounds.QuorumConfirmed(again.Id, readIndex: 1);
        _rounds.TakeServable(1, _taken);
        Assert.Equal([ticket], _taken);
    }

    [Fact]
    public void A_lost_leadership_takes_what_is_unconfirmed_and_leaves_what_is_confirmed()
    {
        QueryTicket confirmed = Add();
        ReadRound round = _rounds.TryBegin(0)!;
        _rounds.QuorumConfirmed(round.Id, readIndex: 5);
        _rounds.EpochConfirmed(round);
        QueryTicket unconfirmed = Add();
        _rounds.TakeUnconfirmed(_taken);
        Assert.Equal([unconfirmed], _taken);
        _taken.Clear();
        _rounds.TakeServable(5, _taken);
        Assert.Equal([confirmed], _taken);
    }

    [Fact]
    public void Reads_past_their_deadline_are_taken_and_the_others_stay()
    {
        QueryTicket early = Add();
        var late = new QueryTicket(new Query()) { DeadlineUs = 2_000 };
        _rounds.Add(late);
        _rounds.TakeOverdue(1_000, _taken);
        Assert.Equal([early], _taken);
        Assert.Equal([late], _rounds.TryBegin(1_001)!.Tickets);
    }

    [Fact]
    public void A_confirmed_read_whose_index_is_not_applied_in_time_is_taken_too()
    {
        QueryTicket ticket = Add();
        ReadRound round = _rounds.TryBegin(0)!;
        _rounds.QuorumConfirmed(round.Id, readIndex: 5);
        _rounds.EpochConfirmed(round);
        _rounds.TakeOverdue(1_000, _taken);
        Assert.Equal([ticket], _taken);
        _taken.Clear();
        _rounds.TakeServable(5, _taken);
        Assert.Empty(_taken);
    }
}
