using Coordinator.Contracts;

namespace Coordinator.Replica.State;

/// <summary>
/// The third part of a snapshot: resources in the order of kinds and names, then claims in the order of their entries.
/// Queues and holders follow from both.
/// </summary>
internal static class SnapshotHoldings
{
    public static readonly HoldingKind[] Kinds = Enum.GetValues<HoldingKind>();

    public static void Write(CoordinationState state, SnapshotWriter writer)
    {
        foreach (HoldingKind kind in Kinds)
        {
            writer.Int32(state.Holdings.Of(kind).Count);
            foreach (Resource resource in state.Holdings.Of(kind).All())
            {
                writer.Text(resource.Name);
                // One that is only delayed may have any limit next.
                writer.Int32(resource.IsIdle ? 0 : resource.Limit);
                writer.Int64(resource.Delay?.DueUs ?? 0);
            }
        }
        List<Claim> claims = state.Holdings.Claims();
        writer.Int32(claims.Count);
        foreach (Claim claim in claims)
            SnapshotClaim.Write(claim, writer);
    }

    public static void Read(CoordinationState state, SnapshotReader reader)
    {
        foreach (HoldingKind kind in Kinds)
            ReadResources(state, reader, kind);
        var held = new List<Claim>();
        int count = reader.Count("the number of claims", int.MaxValue);
        long previous = 0;
        for (int i = 0; i < count; i++)
        {
            Claim claim = SnapshotClaim.Read(state, reader);
            if (claim.Id <= previous)
                reader.Fail($"the claim of entry {claim.Id} is out of order.");
            previous = claim.Id;
            if (claim.IsHolding)
                held.Add(claim);
            else
                RestoreWait(state, reader, claim);
        }
        held.Sort((x, y) => x.Token != y.Token ? x.Token.CompareTo(y.Token) : x.Id.CompareTo(y.Id));
        foreach (Claim claim in held)
            RestoreHolding(state, reader, claim);
        SnapshotChecks.Check(state, reader);
    }

    private static void ReadResources(CoordinationState state, SnapshotReader reader, HoldingKind kind)
    {
        int count = reader.Count("the number of resources", int.MaxValue);
        string? previousName = null;
        for (int i = 0; i < count; i++)
        {
            previousName = StateSnapshot.ReadName(reader, "a resource's name", previousName);
            var resource = new Resource(kind, previousName)
            {
                Limit = reader.Count("a semaphore's limit", kind == HoldingKind.Semaphore ? Limits.PermitsMax : 0),
            };
            long delayUntilUs = reader.Int64("the end of a lock delay", 0, long.MaxValue);
            if (delayUntilUs != 0 && delayUntilUs < state.LogTimeUs)
                reader.Fail($"the delay of {kind} '{previousName}' has ended.");
            state.Holdings.Restore(resource, delayUntilUs);
        }
    }

    private static void RestoreWait(CoordinationState state, SnapshotReader reader, Claim claim)
    {
        if (claim.Session is null)
            reader.Fail($"the lease of entry {claim.Id} waits.");
        foreach (ClaimPart part in claim.Parts)
        {
            if (claim.IsUpgrade && part.Resource.Queue.First is { Value.Claim.IsUpgrade: true })
                reader.Fail($"two holders of '{part.Resource.Name}' wait for an upgrade.");
            if (part.Resource.Queue.Count >= state.Settings.WaitersPerResource)
                reader.Fail($"too many wait for '{part.Resource.Name}'.");
        }
        state.Holdings.RestoreWait(claim);
    }

    private static void RestoreHolding(CoordinationState state, SnapshotReader reader, Claim claim)
    {
        if (state.Holdings.HeldBackUntilUs != 0)
            reader.Fail($"the claim of entry {claim.Id} was granted while grants are held back.");
        foreach (ClaimPart part in claim.Parts)
        {
            Resource resource = part.Resource;
            bool fits = part.Mode switch
            {
                HoldingMode.Exclusive => resource.Holders.Count == 0,
                HoldingMode.Shared => resource.Holders.First?.Value is not { Mode: HoldingMode.Exclusive },
                _ => resource.PermitsHeld <= resource.Limit - part.Permits,
            };
            if (!fits)
                reader.Fail($"{resource.Kind} '{resource.Name}' has holders that exclude each other.");
            if (part.Mode != HoldingMode.Permits && claim.Session?.FirstHoldingOf(resource) is not null)
                reader.Fail($"session {claim.Session.Id} holds '{resource.Name}' twice.");
        }
        state.Holdings.RestoreHolding(claim);
    }
}
