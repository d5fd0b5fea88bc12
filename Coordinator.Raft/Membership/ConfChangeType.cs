namespace Coordinator.Raft;

/// <summary>What happens to one peer. The numbers are etcd's.</summary>
public enum ConfChangeType : byte
{
    /// <summary>It becomes a voter.</summary>
    AddNode = 0,
    RemoveNode = 1,

    /// <summary>Its membership stays; the application wants it in the log.</summary>
    UpdateNode = 2,

    /// <summary>It becomes a learner: it receives the log and doesn't count.</summary>
    AddLearnerNode = 3,
}
