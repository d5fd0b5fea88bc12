using Coordinator.Contracts;

namespace Coordinator.Replica.State;

/// <summary>
/// After a restore nobody is granted anything until all who held something in the group before must have noticed that it
/// is gone (rule 19). Who waits keeps its place; who doesn't is told why.
/// </summary>
internal sealed partial class HoldingTable
{
    private HeldBack? _heldBack;

    /// <summary>Log time; 0: grants are given.</summary>
    public long HeldBackUntilUs => _heldBack?.DueUs ?? 0;

    private OperationResult NotGranted =>
        _heldBack is null ? OperationResult.NotAcquired : OperationResult.Refused(ErrorCode.GrantsHeldBack);

    public void HoldBack(long untilUs)
    {
        _heldBack = new HeldBack { DueUs = untilUs };
        due.Add(_heldBack);
    }

    private void EndHoldBack()
    {
        due.Remove(_heldBack!);
        _heldBack = null;
        foreach (SortedBlocks<string, Resource, OrdinalOrder> resources in _byKind)
        {
            foreach (Resource resource in resources.All())
                Touch(resource);
        }
    }
}

/// <summary>Whatever else ends at the same time, which of them goes first changes nothing.</summary>
internal sealed class HeldBack() : DueItem(id: 0);
