using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica;

namespace Coordinator.Tests.Replica;

public sealed class OpenCommandsTests
{
    private static readonly Term One = new(1);
    private static readonly Term Two = new(2);

    private readonly OpenCommands _open = new();
    private readonly List<CommandTicket> _lost = [];

    private CommandTicket Appended(long index, Term term)
    {
        var ticket = new CommandTicket(new Command(), default) { DeadlineUs = 100 };
        _open.Appended(ticket, index, term);
        return ticket;
    }

    [Fact]
    public void A_ticket_matches_the_entry_with_its_index_and_its_term()
    {
        CommandTicket ticket = Appended(5, One);
        Assert.Null(_open.Match(4, One, _lost));
        Assert.Same(ticket, _open.Match(5, One, _lost));
        Assert.Empty(_lost);
    }

    [Fact]
    public void Another_term_at_its_index_means_that_it_has_not_happened()
    {
        CommandTicket ticket = Appended(5, One);
        Assert.Null(_open.Match(5, Two, _lost));
        Assert.Equal([ticket], _lost);
    }

    [Fact]
    public void A_new_leader_goes_on_with_the_tickets_that_are_in_its_log()
    {
        CommandTicket kept = Appended(5, One);
        CommandTicket gone = Appended(6, One);
        _open.DropNotIn((index, _) => index == 5, _lost);
        Assert.Equal([gone], _lost);
        Assert.Same(kept, _open.Match(5, One, _lost));
    }

    [Fact]
    public void An_overdue_ticket_is_answered_once_and_its_entry_applies_without_it()
    {
        CommandTicket ticket = Appended(5, One);
        _open.TakeOverdue(100, _lost);
        Assert.Equal([ticket], _lost);
        Assert.Null(_open.Match(5, One, _lost));
        Assert.Single(_lost);
    }

    [Fact]
    public void Everyone_who_waits_for_one_acquire_hears_of_its_end_except_who_has_left()
    {
        CommandTicket first = Appended(5, One);
        CommandTicket repeated = Appended(8, One);
        CommandTicket left = Appended(9, One);
        _open.Wait(first, 5);
        _open.Wait(repeated, 5);
        _open.Wait(left, 5);
        _open.Forget(left);
        Assert.Equal([first, repeated], _open.WaitEnded(5)!);
        Assert.Null(_open.WaitEnded(5));
    }
}
