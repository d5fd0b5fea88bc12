namespace Coordinator.Raft.Core;

/// <summary>
/// Messages that wait to be taken. Invariant: what promises something to another peer (a vote, an acknowledgement)
/// waits until the state it rests on is durable; else a restart could break the promise (thesis §3.8). Rejections
/// wait too: they may rest on a vote or on entries that aren't durable.
/// </summary>
internal sealed class Outbox(PeerId self)
{
    private List<Message> _now = [];
    private List<Message> _afterAppend = [];

    public bool IsEmpty => _now.Count == 0 && _afterAppend.Count == 0;

    public bool HasAfterAppend => _afterAppend.Count > 0;

    public void Send(Message message)
    {
        bool needsTerm = message.Type is not (MessageType.Prop or MessageType.ReadIndex);
        Invariant.Require(
            needsTerm == (message.Term != Term.Zero), $"{message.Type} to {message.To} has term {message.Term}");
        Invariant.Require(!message.From.IsNone, $"{message.Type} to {message.To} has no sender");
        if (message.Type is MessageType.AppResp or MessageType.VoteResp or MessageType.PreVoteResp)
        {
            _afterAppend.Add(message);
            return;
        }

        Invariant.Require(message.To != self && !message.To.IsNone, $"{message.Type} is addressed to {message.To}");
        _now.Add(message);
    }

    /// <summary>Messages that may go at once. The list is the caller's.</summary>
    public List<Message> TakeNow()
    {
        List<Message> taken = _now;
        _now = [];
        return taken;
    }

    /// <summary>Messages that may go once everything so far is durable. The list is the caller's.</summary>
    public List<Message> TakeAfterAppend()
    {
        List<Message> taken = _afterAppend;
        _afterAppend = [];
        return taken;
    }
}
