using Coordinator.Contracts;
using Google.Protobuf;

namespace Coordinator.Tests.State;

/// <summary>
/// Random commands of a few clients on a few names, close enough to each other to collide: repeats, reused and stale
/// ids, cancels before and after their acquires, ended sessions, malformed names.
/// </summary>
internal sealed class CommandSource(Random random)
{
    private static readonly string[] Names = ["a", "b", "b/c"];

    private readonly List<Client> _clients = [];
    private readonly ConfigCommandSource _config = new(random);
    private readonly List<Command> _sent = [];
    private readonly HoldingSource _holdings = new(random);

    public void SessionCreated(long sessionId)
    {
        if (_clients.TrueForAll(client => client.SessionId != sessionId))
            _clients.Add(new Client(sessionId));
        if (_clients.Count > 6)
            _clients.RemoveAt(0);
    }

    public void LeaseGranted(long leaseId) => _holdings.LeaseGranted(leaseId);

    public long Stamp(long logTime) => random.Next(2) == 0 ? 0 : Math.Max(1, logTime + random.Next(-50_000, 200_000));

    public Command Next(long logTime, long revision)
    {
        if (_sent.Count > 0 && random.Next(8) == 0)
            return _sent[Math.Max(0, _sent.Count - 1 - random.Next(12))];
        Command command = random.Next(100) switch
        {
            < 10 => new Command { CreateSession = NewSession() },
            < 18 => new Command { KeepAlive = NewKeepAlive(logTime) },
            < 20 => new Command { AdvanceTime = new AdvanceTime() },
            < 26 => OutsideSession(revision),
            < 34 => _holdings.OutsideSession(),
            _ => InSession(revision),
        };
        _sent.Add(command);
        return command;
    }

    private Command OutsideSession(long revision)
    {
        var command = new Command();
        _config.Fill(command, revision);
        return command;
    }

    private Command InSession(long revision)
    {
        if (_clients.Count == 0)
            return OutsideSession(revision);
        Client client = _clients[random.Next(_clients.Count)];
        var command = new Command { SessionId = client.SessionId };
        switch (random.Next(10))
        {
            case 0:
                break;
            case 1:
                command.RequestId = Math.Max(0, client.LastRequest - random.Next(4));
                break;
            default:
                command.RequestId = client.LastRequest += random.Next(1, 3);
                break;
        }
        // The table has to be pruned now and then, or it stays full.
        if (random.Next(3) == 0)
            command.AnsweredBelow = Math.Max(0, client.LastRequest - random.Next(6));
        Fill(command, client, revision);
        return command;
    }

    private void Fill(Command command, Client client, long revision)
    {
        switch (random.Next(100))
        {
            case < 68:
                _holdings.Fill(command, _clients[random.Next(_clients.Count)].SessionId);
                break;
            case < 76:
                command.CancelWait = new CancelWait { ReleaseIfGranted = random.Next(2) == 0 };
                if (random.Next(4) == 0)
                    command.CancelWait.EntryIndex = random.Next(1, 400);
                else
                    command.CancelWait.RequestId = Math.Max(1, client.LastRequest + random.Next(-4, 3));
                break;
            case < 97:
                _config.Fill(command, revision);
                break;
            default:
                command.EndSession = new EndSession();
                break;
        }
    }

    private string Name() => random.Next(60) == 0 ? "a//b" : Names[random.Next(Names.Length)];

    private CreateSession NewSession()
    {
        var create = new CreateSession { TtlUs = random.Next(500_000, 6_000_000) };
        if (random.Next(2) == 0)
            create.Nonce = ByteString.CopyFrom([.. Enumerable.Repeat((byte)random.Next(3), 16)]);
        return create;
    }

    private KeepAlive NewKeepAlive(long logTime) => new()
    {
        SessionIds = { _clients.Where(_ => random.Next(2) == 0).Select(client => client.SessionId) },
        AsOfUs = Math.Max(0, logTime + random.Next(-200_000, 200_000)),
    };

    private sealed class Client(long sessionId)
    {
        public long SessionId => sessionId;

        public long LastRequest { get; set; }
    }
}
