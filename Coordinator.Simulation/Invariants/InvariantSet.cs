using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Replica.State;
using Coordinator.Replica.Storage;
using Coordinator.Simulation.Cluster;
using Coordinator.Simulation.Engine;
using Coordinator.Simulation.Storage;

namespace Coordinator.Simulation.Invariants;

/// <summary>All invariants, and the group's history that they share. What happens is told to each of them in turn.</summary>
internal sealed partial class InvariantSet
{
    private readonly EventQueue _events;
    private readonly Trace _trace;
    private readonly Happenings _happenings;
    private readonly Invariant[] _all;
    private readonly ClientBeliefs _beliefs = new();
    private readonly BranchCounter _branches;
    private readonly ConfigBranchCounter _configBranches;
    private CommittedEntry? _committing;

    /// <param name="historiesAlone">Only what clients saw is judged.</param>
    public InvariantSet(
        Scenario scenario, GroupMembership membership, EventQueue events, Trace trace, Happenings happenings,
        Func<World> world, bool historiesAlone)
    {
        Membership = EarlierMembership = membership;
        _events = events;
        _trace = trace;
        _happenings = happenings;
        _branches = new BranchCounter(happenings);
        Log = new CommittedLog(scenario.BaseIndex);
        Ledger = new HoldingLedger
        {
            Granting = claim =>
            {
                _branches.Granting(claim);
                Tell(invariant => invariant.Granting(Index, claim));
            },
            Waits = (claim, refused) => Tell(invariant => invariant.Waits(Index, claim, refused)),
            Ended = claim => Tell(invariant => invariant.ClaimEnded(claim)),
            RanOut = claim => Tell(invariant => invariant.RanOut(Index, claim)),
        };
        Config = new ConfigLedger(scenario.State, scenario.BaseIndex)
        {
            Executing = () => Tell(invariant => invariant.Configuring(_committing!)),
        };
        _configBranches = new ConfigBranchCounter(Config, happenings);
        var histories = new LinearizableHistories(scenario, events, happenings);
        _all = historiesAlone ? [histories] :
        [
            new StoredLogIsWhole(), new ElectionSafety(), new LeaderAppendOnly(), new CommitsInOwnTerm(), new LogMatching(), new LeaderCompleteness(Log, world),
            new StateMachineSafety(Log), new CommittedNeverLost(Log, world), new OneVotePerTerm(), new AckedIsDurable(),
            new EpochFence(), new MonotoneProgress(), new LinearizableReads(Log, Ledger, Config), new MutualExclusion(),
            new TokensIncrease(), new FifoGrants(), new NoGrantToEndedSession(Ledger), new NoEarlyExpiry(scenario, events),
            new LogTimeBehindRealTime(scenario, events), new ExactlyOnce(Ledger), new NoLeakedHolding(Ledger),
            new LockDelays(Ledger), new HoldingsEndInTime(Ledger), new NoDeadlock(Ledger),
            new ClientDeadlineFirst(events), new MembershipChanges(membership, happenings), new SnapshotsAgree(), histories,
            new MonotonicReads(), new WatchersSeeEachRevisionOnce(Config, happenings),
            new StreamsTellEachRevisionOnce(Config, happenings), new ObservedElectionsGoForward(Ledger, happenings), new HoldersAreTold(Ledger),
            new TransactionsAreWhole(Config), new ConditionsDecide(Config), new BoundKeysEndWithSession(), new RollBackRestores(Config),
            new ReadsAtRevision(Config, happenings), new CompactionAgrees(Log, Config), new RevisionsRiseByOne(Log, Config),
            new StoreFollowsLog(Config),
            new LevelSupportedByAll(world), new DivergenceIsFound(), new OldStorageIsSilent(),
            new RestIsEarned(world),
        ];
    }

    public CommittedLog Log { get; }

    public HoldingLedger Ledger { get; }

    public ConfigLedger Config { get; }

    /// <summary>As far as it is known to be committed, and the index of the entry that made it.</summary>
    public GroupMembership Membership { get; private set; }

    public long MembershipIndex { get; private set; }

    /// <summary>The one before <see cref="Membership"/>.</summary>
    public GroupMembership EarlierMembership { get; private set; }

    /// <summary>The highest index that an answered request is known to have been done by.</summary>
    public long KnownIndex { get; private set; }

    /// <summary>The highest revision that a writer has been told of.</summary>
    public long KnownRevision { get; private set; }

    public void Activated(PeerProcess process, LoadedPeer loaded)
    {
        foreach (Invariant invariant in _all)
            invariant.Activated(process, loaded);
    }

    public void RowActivated(PeerKey key, long epoch)
    {
        foreach (Invariant invariant in _all)
            invariant.RowActivated(key, epoch);
    }

    public void Landing(SimulatedRow before, PeerWrite write)
    {
        _branches.Landing(before, write);
        foreach (Invariant invariant in _all)
            invariant.Landing(before, write);
    }

    /// <summary>The present activation knows its row: a write that does not fit it is a bug of the replica.</summary>
    public static void Refusing(SimulatedRow row, PeerWrite write) => throw new InvariantViolation(
        "well-formed writes",
        $"write {write.WriteSeq} of peer {write.Key} is refused for what it holds: {write.HardState}, {write.Entries.Count} entries, compaction through {write.CompactThrough}; stored are {row.HardState} and entries up to {row.LastIndex}");

    public void Sending(PeerProcess process, Envelope envelope)
    {
        _branches.Sending(envelope);
        foreach (Invariant invariant in _all)
            invariant.Sending(process, envelope);
    }

    public void Applied(PeerProcess process, in Entry entry, in ApplyResult result, ApplyEffects effects)
    {
        ulong hash = process.Machine!.State.Hash;
        if (entry.Index > Log.LastIndex)
            Commit(process, entry, result, effects);
        if (Log.Find(entry.Index) is not { } known)
            throw new InvariantViolation("contiguous history", $"peer {process.Peer} applied {entry.Index} after {Log.LastIndex}");
        foreach (Invariant invariant in _all)
            invariant.Applied(process, known, entry, result, hash);
    }

    public void AfterTurn(PeerProcess process, ReplicaEffects effects)
    {
        _branches.AfterTurn(process, effects);
        foreach (Invariant invariant in _all)
            invariant.AfterTurn(process, effects);
    }

    public void AtEnd(World world)
    {
        foreach (Invariant invariant in _all)
            invariant.AtEnd(world);
    }

    private long Index => _committing!.Index;

    private void Tell(Action<Invariant> tell)
    {
        foreach (Invariant invariant in _all)
            tell(invariant);
    }

    private void Commit(PeerProcess process, in Entry entry, in ApplyResult result, ApplyEffects effects)
    {
        var committed = new CommittedEntry
        {
            Entry = entry,
            Command = entry.Type != EntryType.Normal || entry.Data.IsEmpty ? null : Command.Parser.ParseFrom(entry.Data.Span),
            Result = result.Result,
            WaitIndex = result.WaitIndex,
            WaitsEnded = [.. effects.WaitsEnded],
            SessionsEnded = [.. effects.SessionsEnded],
            Membership = effects.PeersChanged ? process.Machine!.State.Membership : null,
            AppliedInTerm = process.Machine!.Raft.Term,
            AppliedAtUs = _events.NowUs,
        };
        Log.Add(committed);
        if (committed.Membership is { } now)
            (EarlierMembership, Membership, MembershipIndex) = (Membership, now, entry.Index);
        _committing = committed;
        _trace.Add($"peer {process.Peer}.{process.Epoch}: first to apply {entry.Index}/{entry.Term} at {entry.Stamp}: {committed.Command?.OperationCase} {committed.Command?.SessionId}.{committed.Command?.RequestId} {result.Result}");
        _branches.Committed(committed, Ledger);
        _branches.Ended(effects.HoldingsEnded);
        bool isNew = committed.Command is not { RequestId: not 0 } command || !Ledger.HasExecuted(command.SessionId, command.RequestId);
        Config.Follow(committed, isNew);
        _configBranches.Committed(committed, isNew);
        Ledger.Follow(entry.Index, entry.Stamp, committed.Command, result.Result, effects);
        foreach (Invariant invariant in _all)
            invariant.Committed(process, committed);
    }
}
