using Coordinator.Contracts;

namespace Coordinator.Replica.State;

/// <summary>One claim of a snapshot: who, since when, until when, and its part in each resource.</summary>
internal static class SnapshotClaim
{
    public static void Write(Claim claim, SnapshotWriter writer)
    {
        writer.Int64(claim.Id);
        writer.Int64(claim.Session?.Id ?? 0);
        if (claim.Lease is { } lease)
            WriteLease(lease, writer);
        writer.Int64(claim.RequestId);
        writer.Text(claim.Label);
        writer.Text(claim.TraceId);
        writer.Text(claim.Value);
        writer.Int64(claim.SinceUs);
        writer.Int64(claim.DueUs);
        writer.Int64(claim.MaxHoldUs);
        writer.Int64(claim.LockDelayUs);
        writer.Flag(claim.IsUpgrade);
        writer.Flag(claim.IsConcurrent);
        writer.Int64(claim.Token);
        writer.Int64(claim.UpgradedFrom);
        writer.Int32(claim.Parts.Count);
        foreach (ClaimPart part in claim.Parts)
            Write(part, writer);
    }

    public static Claim Read(CoordinationState state, SnapshotReader reader)
    {
        long id = reader.Int64("a claim's entry", 1, state.AppliedIndex);
        long sessionId = reader.Int64("a claim's session", 0, state.AppliedIndex);
        Session? session = state.Sessions.Find(sessionId);
        if (sessionId != 0 && session is null)
            reader.Fail($"entry {id} claims for session {sessionId}, which is not there.");
        var claim = new Claim(id, session)
        {
            Lease = session is null ? ReadLease(state, reader) : null,
            RequestId = reader.Int64("a claim's request id", 0, session is null ? 0 : long.MaxValue),
            Label = StateSnapshot.ReadLabel(reader, "a claim's label"),
            TraceId = StateSnapshot.ReadLabel(reader, "a claim's trace id"),
            Value = StateSnapshot.ReadLabel(reader, "a claim's value"),
            SinceUs = reader.Int64("a claim's time", 0, state.LogTimeUs),
            DueUs = reader.Int64("the end of a claim", state.LogTimeUs, long.MaxValue),
            MaxHoldUs = reader.Int64("a maximum hold", 0, Limits.HoldMax.Ticks / TimeSpan.TicksPerMicrosecond),
            LockDelayUs = reader.Int64("a lock delay", 0, Limits.LockDelayMax.Ticks / TimeSpan.TicksPerMicrosecond),
            IsUpgrade = reader.Flag("whether a claim is an upgrade"),
            IsConcurrent = reader.Flag("whether a claim is concurrent"),
        };
        claim.Token = reader.Int64("a token", 0, state.AppliedIndex);
        if (claim.IsHolding && claim.Token < id)
            reader.Fail($"entry {id} was granted by entry {claim.Token}, before it.");
        claim.UpgradedFrom = reader.Int64("the token before an upgrade", 0, claim.IsUpgrade ? claim.Token : 0);
        ReadParts(state, reader, claim);
        return claim;
    }

    private static void WriteLease(LeaseTerms lease, SnapshotWriter writer)
    {
        writer.Int64(lease.TtlUs);
        writer.Flag(lease.Nonce is not null);
        if (lease.Nonce is { } nonce)
            writer.UInt128(nonce);
    }

    private static LeaseTerms ReadLease(CoordinationState state, SnapshotReader reader)
    {
        long ttlUs = reader.Int64("a lease's TTL", CommandRules.TtlMinUs, CommandRules.TtlMaxUs);
        UInt128? nonce = reader.Flag("whether a lease has a nonce") ? reader.UInt128("a nonce") : null;
        if (nonce is { } known && state.Holdings.KnowsLeaseNonce(known))
            reader.Fail("two leases have one nonce.");
        return new LeaseTerms(ttlUs, nonce);
    }

    private static void Write(ClaimPart part, SnapshotWriter writer)
    {
        writer.Byte((byte)part.Resource.Kind);
        writer.Text(part.Resource.Name);
        writer.Byte((byte)part.Mode);
        writer.Int32(part.Permits);
        writer.Int64(part.Floor);
        writer.Int32(part.Reentries?.Count ?? 0);
        foreach (long requestId in part.Reentries ?? [])
            writer.Int64(requestId);
        writer.Flag(part.Asked is not null);
        if (part.Asked is not { } asked)
            return;
        writer.Text(asked.Reason);
        writer.Int64(asked.SinceUs);
    }

    private static void ReadParts(CoordinationState state, SnapshotReader reader, Claim claim)
    {
        int count = reader.Count("a claim's number of resources", Limits.ResourcesPerRequestMax);
        for (int i = 0; i < count; i++)
        {
            ClaimPart part = ReadPart(state, reader, claim);
            foreach (ClaimPart other in claim.Parts)
                reader.Require(!ReferenceEquals(other.Resource, part.Resource), "a claim names a resource twice.");
            claim.Parts.Add(part);
        }
        reader.Require(count > 0, $"the claim of entry {claim.Id} is to nothing.");
        bool isAlone = claim.IsUpgrade || claim.Lease is not null || claim.Parts[0].Resource.Kind is HoldingKind.Election;
        reader.Require(!isAlone || count == 1, $"the claim of entry {claim.Id} is to several, and may be to one alone.");
        reader.Require(
            (claim.Lease is null) == (claim.Parts[0].Resource.Kind != HoldingKind.Lease),
            $"the claim of entry {claim.Id} is a lease and is none.");
    }

    private static ClaimPart ReadPart(CoordinationState state, SnapshotReader reader, Claim claim)
    {
        var kind = (HoldingKind)reader.Byte("a resource's kind");
        reader.Require(Enum.IsDefined(kind), $"{(int)kind} is no kind of resource.");
        string name = reader.Text("a resource's name");
        var mode = (HoldingMode)reader.Byte("a mode");
        bool isOfKind = kind switch
        {
            HoldingKind.Semaphore => mode == HoldingMode.Permits,
            HoldingKind.Lock => mode is HoldingMode.Exclusive or HoldingMode.Shared,
            _ => mode == HoldingMode.Exclusive,
        };
        reader.Require(isOfKind, $"a {kind} is not held in mode {(int)mode}.");
        if (state.Holdings.Find(kind, name) is not { } resource)
        {
            reader.Fail($"entry {claim.Id} claims {kind} '{name}', which is not there.");
            return null!;
        }
        int permits = reader.Count("permits", resource.Limit);
        reader.Require((permits > 0) == (mode == HoldingMode.Permits), $"{permits} permits of {kind} '{name}' are none.");
        var part = new ClaimPart(claim, resource, mode, permits)
        {
            Floor = reader.Int64("a floor", claim.IsHolding ? 1 : 0, claim.Token),
        };
        ReadReentries(state, reader, part);
        if (reader.Flag("whether a holder was asked to let go"))
        {
            part.Asked = new AskedToRelease(
                StateSnapshot.ReadLabel(reader, "a reason"), reader.Int64("the time of a reason", 0, state.LogTimeUs));
        }
        return part;
    }

    private static void ReadReentries(CoordinationState state, SnapshotReader reader, ClaimPart part)
    {
        bool canReenter = part.Claim.IsHolding && part.Resource.Kind == HoldingKind.Lock;
        int count = reader.Count("a number of re-entries", canReenter ? state.Settings.ReentriesPerHolding - 1 : 0);
        for (int i = 0; i < count; i++)
            (part.Reentries ??= []).Add(reader.Int64("a re-entry", 0, long.MaxValue));
    }
}
