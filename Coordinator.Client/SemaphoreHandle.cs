using Coordinator.Client.Connection;
using Coordinator.Client.Machine;

namespace Coordinator.Client;

/// <summary>Permits of a semaphore. Others hold permits too: a guard compares with <see cref="HoldingHandle.Floor"/>.</summary>
public class SemaphoreHandle : HoldingHandle
{
    internal SemaphoreHandle(ClientRuntime runtime, Holding holding) : base(runtime, holding)
    {
    }

    protected SemaphoreHandle()
    {
    }

    /// <summary>How many are held; all are given back together.</summary>
    public virtual int Permits => Holding.Request.Permits;
}
