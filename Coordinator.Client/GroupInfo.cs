namespace Coordinator.Client;

/// <summary>A group of the cluster, as its leader knows it.</summary>
public sealed record GroupInfo
{
    public required int Group { get; init; }

    /// <summary>Null: none is known.</summary>
    public long? LeaderPeerId { get; init; }

    public long Term { get; init; }

    public long CommitIndex { get; init; }

    /// <summary>Of the last change of configuration.</summary>
    public long Revision { get; init; }

    public int Sessions { get; init; }

    public int FeatureLevel { get; init; }

    /// <summary>Of the voters that have caught up, how many may be lost now with a quorum of them left.</summary>
    public int FailuresTolerated { get; init; }

    public int Voters { get; init; }

    /// <summary>Those that are reached from the silo that was asked, run, and do not lag.</summary>
    public int VotersCaughtUp { get; init; }

    /// <summary>In the order of their ids.</summary>
    public required IReadOnlyList<PeerInfo> Peers { get; init; }
}

/// <summary>One member of a group.</summary>
public sealed record PeerInfo
{
    public required long PeerId { get; init; }

    /// <summary>False: it learns, and has no vote.</summary>
    public bool IsVoter { get; init; }

    /// <summary>"leader", "follower", "candidate", "suspended", "quarantined", "stopped" or "unknown".</summary>
    public required string State { get; init; }

    /// <summary>Of the silo that it is configured for.</summary>
    public string Silo { get; init; } = "";

    public long AppliedIndex { get; init; }

    public long LastIndex { get; init; }

    /// <summary>Why, in the last four states; otherwise empty.</summary>
    public string Detail { get; init; } = "";
}
