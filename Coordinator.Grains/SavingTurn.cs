namespace Coordinator.Grains;

/// <summary>Whose turn it is to have a snapshot taken: one in a silo, of whichever group.</summary>
internal sealed class SavingTurn
{
    private int _taken;

    public bool TryTake() => Interlocked.CompareExchange(ref _taken, 1, 0) == 0;

    public void Free() => Volatile.Write(ref _taken, 0);
}
