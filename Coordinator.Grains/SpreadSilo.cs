using Coordinator.Contracts;

namespace Coordinator.Grains;

/// <summary>A silo whose leaders are to be spread, as <see cref="LeaderSpreader"/> sees it: what a silo is hangs on the host.</summary>
internal sealed record SpreadSilo
{
    public required string Id { get; init; }

    /// <summary>Between two looks.</summary>
    public required TimeSpan Interval { get; init; }

    public required TimeSpan HandOverLimit { get; init; }

    /// <summary>The silos that could lead now, this one included.</summary>
    public required Func<IEnumerable<string>> Able { get; init; }

    public required IReadOnlyList<SpreadGroup> Groups { get; init; }
}

/// <param name="SiloOf">Where a member is; null: not known.</param>
internal sealed record SpreadGroup(
    GroupGateway Gateway, Func<GroupPicture> Picture, Func<TimeSpan, LeadershipHandOver> HandOver, Func<MemberFact, string?> SiloOf)
{
    /// <summary>It is led from here, nothing waits to be applied, and its members are not changing.</summary>
    public bool IsSettledHere() => Gateway.Leader()?.Status is { IsReady: true } status && status.AppliedIndex >= status.CommitIndex
        && status.Membership.ConfState is { VotersOutgoing.Count: 0, Learners.Count: 0 };
}
