using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica;
using Google.Protobuf;

namespace Coordinator.Tests.Replica;

/// <summary>
/// Watchers of random keys and prefixes, from random revisions on, with pages of random sizes, on a replica that is
/// brought up to date by entries and by snapshots: each sees what a plain list of revisions has, once and in order.
/// </summary>
public sealed class WatchPropertyTests
{
    private const int Steps = 300;

    [Fact]
    public void Every_watcher_sees_each_revision_once_in_order_or_is_told_that_it_was_compacted()
    {
        int told = 0, compacted = 0, marks = 0;
        for (int seed = 1; seed <= 60; seed++)
        {
            var run = new Run(seed);
            for (int step = 0; step < Steps; step++)
                run.Step();
            run.End();
            told += run.Told;
            compacted += run.Compacted;
            marks += run.Marks;
        }
        // Otherwise the runs would prove nothing.
        Assert.True(told > 5_000 && compacted > 50 && marks > 500, $"told {told}, compacted {compacted}, marks {marks}");
    }

    private sealed record Change(string Key, string? Before, string? After);

    private sealed class Watcher
    {
        public required WatchConfig Asked { get; set; }

        public required WatchTicket Ticket { get; set; }

        /// <summary>0: it has asked from now on, and not been told yet what that is.</summary>
        public long Position { get; set; }

        public bool Sees(string key) =>
            Asked.IsPrefix ? key.StartsWith(Asked.Key, StringComparison.Ordinal) : key == Asked.Key;
    }

    private sealed class Run
    {
        private readonly string[] _keys = ["a", "a/b", "a/bc", "a/b/c", "b", "c/d"];
        private readonly string[] _prefixes = ["", "a", "a/", "a/b", "c", "x"];
        private readonly Dictionary<string, string> _map = [];
        private readonly Dictionary<long, Change[]> _revisions = [];
        private readonly List<Watcher> _watchers = [];
        private readonly Random _random;
        private readonly WatchedPeer _peer;
        private readonly int _seed;
        private bool _hasSkipped;
        private int _read;

        public Run(int seed)
        {
            _seed = seed;
            _random = new Random(seed);
            _peer = new WatchedPeer(new ReplicaOptions { WatchPageBytes = _random.Next(1, 600) });
        }

        public int Told { get; private set; }

        public int Compacted { get; private set; }

        public int Marks { get; private set; }

        public void Step()
        {
            switch (_random.Next(20))
            {
                case < 10:
                    Write();
                    break;
                case < 13:
                    _peer.CatchUp();
                    ReadPages(mayBeCompacted: false);
                    break;
                case 13:
                    _peer.Install();
                    ReadPages(mayBeCompacted: true);
                    break;
                case 14:
                    Compact();
                    break;
                case 15:
                    _peer.Turn(afterUs: new ReplicaOptions().WatchProgressUs);
                    _peer.HearLeader();
                    ReadPages(mayBeCompacted: false);
                    break;
                default:
                    if (_watchers.Count < 8)
                        Begin();
                    else
                        Leave();
                    break;
            }
        }

        /// <summary>Nothing that a watcher has not been told is left.</summary>
        public void End()
        {
            _peer.CatchUp();
            ReadPages(mayBeCompacted: false);
            foreach (Watcher watcher in _watchers)
            {
                Assert.True(_peer.Waits(watcher.Ticket));
                Assert.Empty(Expected(watcher, watcher.Position, _peer.Group.Revision + 1));
            }
        }

        private void Write()
        {
            long before = _peer.Group.Revision;
            var next = new Dictionary<string, string>(_map);
            var transaction = new Transaction();
            foreach (string key in _keys.Where(_ => _random.Next(4) == 0))
            {
                if (_random.Next(3) == 0)
                {
                    next.Remove(key);
                    transaction.Then.Add(new ConfigOperation { Delete = new DeleteConfig { Key = key } });
                    continue;
                }
                next[key] = $"{before + 1}" + new string('x', _random.Next(100));
                transaction.Then.Add(new ConfigOperation
                {
                    Put = new PutConfig { Key = key, Value = ByteString.CopyFromUtf8(next[key]) },
                });
            }
            if (transaction.Then.Count == 0)
                return;
            _peer.Commit(new Command { Transaction = transaction });
            Change[] changes = [.. _keys
                .Select(key => new Change(key, _map.GetValueOrDefault(key), next.GetValueOrDefault(key)))
                .Where(change => change.Before != change.After)
                .OrderBy(change => change.Key, StringComparer.Ordinal)];
            Assert.Equal(before + (changes.Length > 0 ? 1 : 0), _peer.Group.Revision);
            if (changes.Length > 0)
                _revisions[_peer.Group.Revision] = changes;
            _map.Clear();
            foreach ((string key, string value) in next)
                _map[key] = value;
        }

        private void Compact()
        {
            if (_peer.Group.Revision > 0)
            {
                _peer.Commit(new Command
                {
                    CompactConfig = new CompactConfig { Revision = _random.NextInt64(1, _peer.Group.Revision + 1) },
                });
            }
        }

        private void Begin()
        {
            bool isPrefix = _random.Next(2) == 0;
            var asked = new WatchConfig
            {
                IsPrefix = isPrefix,
                Key = isPrefix ? _prefixes[_random.Next(_prefixes.Length)] : _keys[_random.Next(_keys.Length)],
                FromRevision = _random.NextInt64(0, _peer.Group.Revision + 2),
                WithPrevious = _random.Next(2) == 0,
            };
            WatchTicket ticket = _peer.Submit(new Watch { Config = asked });
            _watchers.Add(new Watcher { Asked = asked, Ticket = ticket, Position = asked.FromRevision });
            ReadPages(mayBeCompacted: true);
        }

        private void Leave()
        {
            Watcher watcher = _watchers[_random.Next(_watchers.Count)];
            _watchers.Remove(watcher);
            _peer.Turn(machine => machine.Forget(watcher.Ticket));
        }

        // What is ahead of the replica asks a round; the leader answers it, and the replica has yet to catch up.
        private void ReadPages(bool mayBeCompacted)
        {
            if (_peer.Peer.Sent.Any(sent => sent.Message.Type == MessageType.ReadIndex))
                _peer.ConfirmRound();
            _hasSkipped |= mayBeCompacted;
            for (; _read < _peer.Pages.Count; _read++)
            {
                (WatchTicket ticket, WatchPage page) = _peer.Pages[_read];
                if (_watchers.FirstOrDefault(one => one.Ticket == ticket) is { } watcher)
                    Read(watcher, page);
            }
        }

        private void Read(Watcher watcher, WatchPage page)
        {
            if (page.Error == ErrorCode.Compacted)
            {
                // Only who begins, or whose replica took over a snapshot, may find that something is gone.
                Assert.True(_hasSkipped && watcher.Position <= page.CompactedRevision, Where(watcher));
                Compacted++;
                watcher.Position = page.CompactedRevision + 1;
            }
            // A replica that has not caught up with its own read round for a while says so: asked again it goes on.
            else if (page.Error != ErrorCode.NoQuorum)
            {
                Assert.True(page.Error == ErrorCode.Ok, $"{Where(watcher)}: {page.Error}");
                Assert.InRange(page.NextRevision, Math.Max(1, watcher.Position), _peer.Machine.State.Revision + 1);
                Assert.Equal(
                    watcher.Position == 0 ? [] : Expected(watcher, watcher.Position, page.NextRevision),
                    page.Events.Select(Plain));
                Told += page.Events.Count;
                Marks += page.Events.Count == 0 ? 1 : 0;
                watcher.Position = page.NextRevision;
            }
            watcher.Asked = new WatchConfig(watcher.Asked) { FromRevision = watcher.Position };
            watcher.Ticket = _peer.Submit(new Watch { Config = watcher.Asked });
        }

        private IEnumerable<(long, string, string?, string?)> Expected(Watcher watcher, long from, long to)
        {
            for (long revision = from; revision < to; revision++)
            {
                foreach (Change change in _revisions.GetValueOrDefault(revision, []).Where(change => watcher.Sees(change.Key)))
                    yield return (revision, change.Key, watcher.Asked.WithPrevious ? change.Before : null, change.After);
            }
        }

        private static (long, string, string?, string?) Plain(ConfigEvent change) => (
            change.Entry.ModifyRevision, change.Entry.Key, change.Previous?.Value.ToStringUtf8(),
            change.Entry.Version == 0 ? null : change.Entry.Value.ToStringUtf8());

        private string Where(Watcher watcher) => $"seed {_seed}, {watcher.Asked}, at {watcher.Position}";
    }
}
