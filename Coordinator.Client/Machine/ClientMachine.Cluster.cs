using Coordinator.Contracts;

namespace Coordinator.Client.Machine;

/// <summary>Requests about a group's peers: outside any session, and sent again as they are when a link is lost.</summary>
internal sealed partial class ClientMachine
{
    private void BeginCluster(ClusterOperation cluster)
    {
        cluster.Frame = new ClientFrame { CorrelationId = cluster.Id, Cluster = cluster.Request };
        Open(cluster);
    }

    private void OnClusterAnswer(long correlationId, ClusterAnswer answer)
    {
        if (!_open.TryGetValue(correlationId, out Operation? operation) || operation is not ClusterOperation cluster
            || !cluster.IsOnWire)
            return;
        OffWire(cluster);
        if (ErrorRules.IsTransient(answer.Error))
        {
            OnTransientRefusal(cluster, answer.Error, answer.Message, "");
            return;
        }
        OnGoodAnswer();
        Complete(cluster, new Completion.Administered(answer));
        Close(cluster);
    }
}

/// <summary>Describes a group's peers or changes them. Each change is safe to repeat.</summary>
internal sealed class ClusterOperation(ClusterRequest request) : Operation
{
    public ClusterRequest Request { get; } = request;

    public bool IsChange => Request.RequestCase != ClusterRequest.RequestOneofCase.Describe;

    public override bool IsAnsweredSoon => !IsChange;
}
