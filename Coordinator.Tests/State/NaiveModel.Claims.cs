using Coordinator.Contracts;
using Coordinator.Replica.State;

namespace Coordinator.Tests.State;

/// <summary>What holds and what waits, who is next, who waits for whom.</summary>
internal sealed partial class NaiveModel
{
    private static IEnumerable<ModelPart> PartsOf(AcquireLock acquire)
    {
        yield return new ModelPart(acquire.Kind, acquire.Name, acquire.Shared, acquire.Permits, acquire.Limit);
        foreach (AlsoAcquire also in acquire.Also)
            yield return new ModelPart(also.Kind, also.Name, also.Shared, also.Permits, also.Limit);
    }

    private IEnumerable<ModelClaim> HeldBy(ModelSession session, HoldingKind kind, string name) =>
        _claims.Where(c => !c.Waits && c.Session == session && c.Wants(kind, name)).OrderBy(c => c.Entry);

    private IEnumerable<(ModelClaim Claim, ModelPart Part)> Holders(HoldingKind kind, string name, long token = 0) =>
        _claims.Where(c => !c.Waits && c.Wants(kind, name) && (token == 0 || token == c.Token))
            .OrderBy(c => (c.Token, c.Entry))
            .Select(c => (c, c.On(kind, name)!));

    private ModelClaim[] LineOf(HoldingKind kind, string name) =>
        [.. _claims.Where(c => c.Waits && c.Wants(kind, name)).OrderBy(c => (c.IsHeir ? 0 : c.Asked!.Upgrade ? 1 : 2, c.Entry))];

    private ModelClaim? Leading(ModelSession session, string name, long token) =>
        HeldBy(session, HoldingKind.Election, name).FirstOrDefault(c => token == 0 || token == c.Token);

    private ModelClaim? FindLease(string name, long id) =>
        _claims.Find(c => c.Lease is not null && c.Wants(HoldingKind.Lease, name) && c.Token == id);

    private bool HasRoom(ModelClaim claim, ModelPart part)
    {
        if (_delays.ContainsKey((part.Kind, part.Name)))
            return false;
        (ModelClaim Claim, ModelPart Part)[] others = [.. Holders(part.Kind, part.Name)
            .Where(h => claim.Asked?.Upgrade != true || h.Claim.Session != claim.Session)];
        return part.Kind == HoldingKind.Semaphore ? others.Sum(h => h.Part.Permits) + part.Permits <= part.Limit
            : part.Shared ? others.All(h => h.Part.Shared)
            : others.Length == 0;
    }

    private Answer Grant(ModelClaim claim)
    {
        if (claim.Asked?.Upgrade == true)
        {
            ModelClaim shared = HeldBy(claim.Session!, HoldingKind.Lock, claim.Parts[0].Name).Single();
            claim.Parts[0].Entered.AddRange(shared.On(HoldingKind.Lock, claim.Parts[0].Name)!.Entered);
            claim.TokenBefore = shared.Token;
            Drop(shared, shared.On(HoldingKind.Lock, claim.Parts[0].Name)!);
        }
        foreach (ModelPart part in claim.Parts)
            part.Floor = Holders(part.Kind, part.Name).Select(h => h.Claim.Token).Append(_index).Min();
        claim.Token = _index;
        long forUs = claim.Lease?.TtlUs ?? claim.Asked!.MaxHoldUs;
        claim.Due = forUs == 0 ? long.MaxValue : _logTime + forUs;
        NoteElections(claim);
        return Granted(claim);
    }

    private static Answer Granted(ModelClaim claim) => new(
        ErrorCode.Ok, Outcome.Granted, claim.Token, Floors: string.Join(' ', claim.Parts.Select(p => p.Floor)));

    private static Answer Entered(ModelClaim claim, ModelPart part) => new(
        ErrorCode.Ok, Outcome.Granted, claim.Token, Floors: $"{part.Floor}", Holds: 1 + part.Entered.Count);

    private static Answer AlreadyHeld(ModelClaim claim, HoldingKind kind, string name) =>
        Answer.Refused(ErrorCode.LockAlreadyHeld) with { Token = claim.Token, Floors = $"{claim.On(kind, name)!.Floor}" };

    private void Serve()
    {
        while (true)
        {
            var heads = _claims.Where(c => c.Waits)
                .SelectMany(c => c.Parts.Select(p => (p.Kind, p.Name)))
                .Distinct()
                .OrderBy(r => r.Kind)
                .ThenBy(r => r.Name, StringComparer.Ordinal)
                .Select(r => LineOf(r.Kind, r.Name)[0]);
            ModelClaim? next = heads.FirstOrDefault(
                c => c.Parts.All(p => LineOf(p.Kind, p.Name)[0] == c && HasRoom(c, p)));
            if (next is null)
                return;
            Answer granted = Grant(next);
            Complete(next, granted);
            WaitsEnded.Add((next.Entry, granted));
        }
    }

    private void TellElections()
    {
        foreach (string name in _electionsChanged)
        {
            ModelClaim? leader = Holders(HoldingKind.Election, name).FirstOrDefault().Claim;
            ElectionsChanged.Add(new ElectionChanged(name, leader?.Session!.Id ?? 0, leader?.Token ?? 0, leader?.Value ?? ""));
        }
        _electionsChanged.Clear();
    }

    private void NoteElections(ModelClaim claim) =>
        _electionsChanged.UnionWith(claim.Parts.Where(p => p.Kind == HoldingKind.Election).Select(p => p.Name));

    private void End(ModelSession session, bool expired)
    {
        foreach (ModelClaim wait in _claims.Where(c => c.Session == session && c.Waits).ToArray())
            EndWait(wait, Answer.Refused(ErrorCode.SessionNotFound));
        foreach (ModelClaim held in _claims.Where(c => c.Session == session).ToArray())
        {
            if (expired)
                KeepOut(held, held.Asked!.LockDelayUs);
            EndAll(held);
        }
        _sessions.Remove(session);
        Config.EndSession(session.Id, _logTime);
        SessionsEnded.Add(session.Id);
    }

    private void EndOverdue(ModelClaim claim)
    {
        HoldingEndReason reason = claim.Lease is null ? HoldingEndReason.MaxHoldPassed : HoldingEndReason.LeaseExpired;
        HoldingsEnded.AddRange(claim.Parts.Select(
            p => new HoldingEnded(p.Kind, p.Name, claim.Entry, claim.Session?.Id ?? 0, claim.Request, claim.Token, reason)));
        if (claim.Lease is not null)
            KeepOut(claim, claim.Lease.LockDelayUs);
        EndAll(claim);
    }

    private void KeepOut(ModelClaim claim, long delayUs)
    {
        foreach (ModelPart part in claim.Parts.Where(_ => delayUs > 0))
        {
            long until = _delays.GetValueOrDefault((part.Kind, part.Name));
            _delays[(part.Kind, part.Name)] = Math.Max(until, _logTime + delayUs);
        }
    }

    private void EndAll(ModelClaim claim)
    {
        foreach (ModelPart part in claim.Parts.ToArray())
            EndPart(claim, part);
    }

    private void EndPart(ModelClaim claim, ModelPart part)
    {
        NoteElections(claim);
        Drop(claim, part);
        ModelClaim? upgrade = _claims.Find(
            c => c.Waits && c.Asked!.Upgrade && c.Session == claim.Session && c.Wants(part.Kind, part.Name));
        if (upgrade is not null)
            EndWait(upgrade, Answer.Refused(ErrorCode.LockNotHeld));
    }

    private void Drop(ModelClaim claim, ModelPart part)
    {
        claim.Parts.Remove(part);
        if (claim.Parts.Count == 0)
            _claims.Remove(claim);
    }

    private void EndWait(ModelClaim wait, Answer answer)
    {
        _claims.Remove(wait);
        Complete(wait, answer);
        WaitsEnded.Add((wait.Entry, answer));
    }

    private static void Complete(ModelClaim claim, Answer answer)
    {
        if (claim.Session!.Requests.TryGetValue(claim.Request, out ModelRequest? request))
            claim.Session.Requests[claim.Request] = request with { Answer = answer };
    }

    /// <summary>Whether the last claim, which has just taken its place, waits for itself by way of others.</summary>
    private bool IsDeadlock(ModelClaim claim)
    {
        ModelSession self = claim.Session!;
        if (_claims.Count(c => c.Session == self && c.Waits) > 1)
            return false;
        var reached = new HashSet<ModelSession>(WaitsFor(self));
        while (true)
        {
            if (reached.Contains(self))
                return true;
            int before = reached.Count;
            reached.UnionWith(reached.ToArray().SelectMany(WaitsFor));
            if (reached.Count == before)
                return false;
        }
    }

    private IEnumerable<ModelSession> WaitsFor(ModelSession session)
    {
        ModelClaim[] waits = [.. _claims.Where(c => c.Waits && c.Session == session)];
        if (waits is not [var wait] || wait.Asked!.Concurrent)
            yield break;
        foreach (ModelPart part in wait.Parts)
        {
            foreach (ModelClaim ahead in LineOf(part.Kind, part.Name).TakeWhile(c => c != wait))
                yield return ahead.Session!;
            foreach (ModelSession holder in Holders(part.Kind, part.Name).Select(h => h.Claim.Session!).Distinct())
            {
                (ModelClaim Claim, ModelPart Part)[] its = [.. Holders(part.Kind, part.Name).Where(h => h.Claim.Session == holder)];
                bool isNeeded = part.Kind == HoldingKind.Semaphore ? part.Limit - its.Sum(h => h.Part.Permits) < part.Permits
                    : part.Shared ? its.Any(h => !h.Part.Shared)
                    : !wait.Asked.Upgrade || holder != session;
                if (isNeeded)
                    yield return holder;
            }
        }
    }

    private sealed class ModelClaim(long entry, ModelSession? session, AcquireLock? asked, long request)
    {
        public ModelClaim(long entry, AcquireLease lease)
            : this(entry, session: null, asked: null, request: 0) => Lease = lease;

        public long Entry => entry;

        public ModelSession? Session => session;

        public AcquireLock? Asked => asked;

        public AcquireLease? Lease { get; }

        public long Request => request;

        public List<ModelPart> Parts { get; } = [];

        public string Value { get; set; } = asked?.Value ?? "";

        public long Due { get; set; }

        public long Token { get; set; }

        public long TokenBefore { get; set; }

        public bool IsHeir { get; set; }

        public bool Waits => Token == 0;

        public bool Wants(HoldingKind kind, string name) => On(kind, name) is not null;

        public ModelPart? On(HoldingKind kind, string name) => Parts.Find(p => p.Kind == kind && p.Name == name);
    }

    private sealed class ModelPart(HoldingKind kind, string name, bool shared = false, int permits = 0, int limit = 0)
    {
        public HoldingKind Kind => kind;

        public string Name => name;

        public bool Shared { get; set; } = shared;

        public int Permits => permits;

        public int Limit => limit;

        public long Floor { get; set; }

        public List<long> Entered { get; } = [];
    }
}
