using Coordinator.Raft.Tracker;

namespace Coordinator.Raft.Core;

/// <summary>
/// Handing leadership over (thesis §3.10): the successor catches up, then is told to campaign at once. Meanwhile no
/// proposal is taken; after an election time-out the leader goes on.
/// </summary>
internal sealed partial class RaftCore
{
    /// <summary>Who leadership is being handed to; none: nobody.</summary>
    public PeerId LeadTransferee { get; private set; }

    private void HandleTransfer(PeerId transferee, Progress progress)
    {
        if (progress.IsLearner || transferee == LeadTransferee)
        {
            return;
        }

        // Another wish replaces the one under way; one for this peer itself ends it.
        LeadTransferee = PeerId.None;
        if (transferee == Id)
        {
            return;
        }

        _trace?.Invoke($"{Id} hands leadership at term {Term} to {transferee}");
        _election.Restart();
        LeadTransferee = transferee;
        if (progress.Match == Log.LastIndex)
        {
            SendTimeoutNow(transferee);
        }
        else
        {
            SendAppend(transferee, progress);
        }
    }

    private void SendTimeoutNow(PeerId to) =>
        Send(new Message { Type = MessageType.TimeoutNow, To = to, From = Id, Term = Term });
}
