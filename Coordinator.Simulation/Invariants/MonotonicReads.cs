using Coordinator.Contracts;
using Coordinator.Simulation.Clients;

namespace Coordinator.Simulation.Invariants;

/// <summary>No read, serializable ones included, is from before what its caller had seen when it asked (rule 23).</summary>
internal sealed class MonotonicReads : Invariant
{
    protected override string Name => "monotonic reads";

    public override void ReadAnswered(SimulatedClient client, Query query, long floorIndex, QueryAnswer answer)
    {
        Require(answer.Error != ErrorCode.RolledBack, () => $"client {client.Number} is told that the group went back behind {query.SeenIndex}");
        Require(answer.Position.Index >= query.SeenIndex, () => $"client {client.Number} reads at {answer.Position.Index}, and had seen {query.SeenIndex}");
    }
}
