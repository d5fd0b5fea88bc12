using Coordinator.Contracts;
using Coordinator.Grains.Backup;
using Coordinator.Replica;

namespace Coordinator.Grains;

/// <summary>
/// Snapshots for an operator. Invariant: one at a time in this silo, from the request until the last byte has left or its
/// caller has: each is as large as a group's whole state.
/// </summary>
public partial class GroupGateway
{
    /// <summary>The silo's.</summary>
    internal SavingTurn SavingTurn { get; set; } = new();

    /// <summary>The group as of a moment after this was called; to be disposed of when it has been sent.</summary>
    /// <param name="abandoned">The caller no longer waits: <see cref="OperationCanceledException"/>.</param>
    public virtual async Task<SavedGroup> SaveAsync(int group, CancellationToken abandoned)
    {
        if (group != _group)
            return Unsaved(ErrorCode.InvalidRequest, $"There is no group {group}; there is group {_group}.");
        if (!SavingTurn.TryTake())
            return Unsaved(ErrorCode.SnapshotInProgress, ErrorText.Of(ErrorCode.SnapshotInProgress));
        SavedGroup? saved = null;
        SaveFuture? asked = null;
        try
        {
            Errand errand = NewErrand();
            while (true)
            {
                if (await FindAsync(SeatToSave, errand, abandoned) is not LeaderSeat.Here seat)
                {
                    return _others is not null && _peers.Count == 0
                        ? Unsaved(ErrorCode.NotLeader, $"This silo has no peer of group {_group}, and so no state of it to save: ask a silo that has one.")
                        : Unsaved(NoLeaderCodeFor(errand), NoLeaderText);
                }
                var future = new SaveFuture();
                if (!seat.Peer.TryPost(future))
                    return Unsaved(FullCode, OverloadedText);
                asked = future;
                SaveOutcome outcome = await future.Outcome.WaitAsync(abandoned);
                if (outcome.State is not null)
                    return saved = new SavedGroup(ErrorCode.Ok, "", outcome.State, FreeSaving);
                if (!IsWorthAnotherLeader(outcome.Error))
                    return Unsaved(outcome.Error, outcome.Message);
                await ReaderMovedAsync(seat, abandoned);
            }
        }
        finally
        {
            // What was asked for is still made when its caller has left: the next may begin only then.
            if (asked is { Outcome.IsCompleted: false })
                RunInBackground(FreeAfterAsync(asked));
            else if (saved is null)
                FreeSaving();
        }
    }

    /// <summary>Its own peer's state is what a silo can send; another silo's is asked for there.</summary>
    private LeaderSeat.Here? SeatToSave() => SeatOfReader(isForwarded: true) as LeaderSeat.Here;

    private async Task FreeAfterAsync(SaveFuture asked)
    {
        await asked.Outcome;
        FreeSaving();
    }

    private void FreeSaving() => SavingTurn.Free();

    private static SavedGroup Unsaved(ErrorCode error, string message) => new(error, message, null);
}
