using Coordinator.Client.Connection;
using Coordinator.Client.Machine;

namespace Coordinator.Client;

/// <summary>An exclusive lock that was granted, or several that were granted together.</summary>
public class LockHandle : HoldingHandle
{
    internal LockHandle(ClientRuntime runtime, Holding holding) : base(runtime, holding)
    {
    }

    protected LockHandle()
    {
    }

    /// <summary>Of all locks that were granted together. They have one token.</summary>
    public virtual IReadOnlyList<string> Names => Holding.Request.Names;
}
