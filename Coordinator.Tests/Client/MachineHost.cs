using Coordinator.Client.Machine;
using Coordinator.Contracts;

namespace Coordinator.Tests.Client;

/// <summary>
/// A machine on virtual clocks, with its effects sorted by kind. Nothing happens unless a test says so.
/// </summary>
internal sealed class MachineHost
{
    public static readonly TimeSpan Ttl = TimeSpan.FromSeconds(10);

    /// <summary>10 s less 1 % and 20 ms.</summary>
    public static readonly TimeSpan Validity = TimeSpan.FromMilliseconds(9880);

    private byte _nonce;

    public MachineHost(int openRequestsMax = 1024, params string[] endpoints) : this(false, openRequestsMax, endpoints)
    {
    }

    public MachineHost(bool isSingleSession, int openRequestsMax = 1024, params string[] endpoints)
        : this(0, 0, endpoints, isSingleSession, openRequestsMax)
    {
    }

    public MachineHost(
        int group, int groups, string[]? endpoints = null, bool isSingleSession = false, int openRequestsMax = 1024)
    {
        Options = new MachineOptions
        {
            Group = group,
            Groups = groups,
            Endpoints = endpoints is null or [] ? ["http://one"] : endpoints,
            SessionTtl = Ttl,
            RequestTimeout = TimeSpan.FromSeconds(10),
            OpenRequestsMax = openRequestsMax,
            IsSingleSession = isSingleSession,
            Seed = 1,
            NextNonce = () => [++_nonce, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        };
        Machine = new ClientMachine(Options, Now);
    }

    public MachineOptions Options { get; }

    public ClientMachine Machine { get; }

    public ClientInstant Now { get; private set; } =
        new(TimeSpan.FromSeconds(1000), TimeSpan.FromSeconds(1_700_000_000));

    public int Link { get; private set; }

    public List<string> Connects { get; } = [];

    public List<int> Disconnects { get; } = [];

    /// <summary>Frames not yet looked at by the test.</summary>
    public Queue<ClientFrame> Sent { get; } = new();

    /// <summary>What the machine sends by itself to hear of its holdings, unless it is to be among what was sent.</summary>
    public List<ClientFrame> Observers { get; } = [];

    public bool ShowsObservers { get; init; }

    public Dictionary<object, Completion> Completed { get; } = [];

    /// <summary>What streams delivered, in order.</summary>
    public List<ClientEffect.Arrived> Arrived { get; } = [];

    public List<Session> Opened { get; } = [];

    public List<Session> Lost { get; } = [];

    public List<Holding> LostHoldings { get; } = [];

    public List<(Holding Holding, string Reason)> Asked { get; } = [];

    public List<Lease> LostLeases { get; } = [];

    /// <summary>Names of effects, in order: for tests of the order.</summary>
    public List<string> Order { get; } = [];

    public bool IsStopped { get; private set; }

    public void Pass(TimeSpan time) => Pass(time, time);

    /// <summary>Lets the two clocks go different ways, then ticks.</summary>
    public void Pass(TimeSpan monotonic, TimeSpan wall)
    {
        Now = new ClientInstant(Now.Monotonic + monotonic, Now.Wall + wall);
        Machine.Tick(Now);
        Drain();
    }

    /// <summary>Lets time pass tick by tick, each when the machine asks for it.</summary>
    public void PassTicking(TimeSpan time)
    {
        TimeSpan end = Now.Monotonic + time;
        int ticks = 0;
        while (Now.Monotonic < end)
        {
            TimeSpan next = Machine.NextTick() < end ? Machine.NextTick() : end;
            TimeSpan step = next > Now.Monotonic ? next - Now.Monotonic : TimeSpan.Zero;
            Pass(step);
            Assert.True(++ticks < 10_000, "The machine asks for ticks without an end.");
        }
    }

    public object Submit(Operation operation)
    {
        object caller = new();
        Machine.Submit(operation, caller, Now);
        Drain();
        return caller;
    }

    public void Cancel(Operation operation)
    {
        Machine.Cancel(operation, Now);
        Drain();
    }

    public void Connect() => Greet(Math.Max(Options.Groups, 1));

    public void Greet(int groups)
    {
        Machine.Connected(Link, Now);
        Drain();
        Assert.NotNull(Take().Hello);
        Receive(new ServerFrame { Welcome = new Welcome { ProtocolVersion = 1, Groups = groups, SiloId = "a" } });
    }

    public void Disconnect(string reason = "gone")
    {
        Machine.Disconnected(Link, reason, Now);
        Drain();
    }

    public void Shutdown()
    {
        Machine.Shutdown(Now);
        Drain();
    }

    public void Receive(ServerFrame frame) => Receive(Link, frame);

    public void Receive(int link, ServerFrame frame)
    {
        Machine.Received(link, frame, Now);
        Drain();
    }

    public void Answer(ClientFrame frame, CommandResult result, string hint = "") => Receive(new ServerFrame
    {
        CorrelationId = frame.CorrelationId,
        Command = new CommandAnswer { Result = result, LeaderHint = hint },
    });

    public void Answer(ClientFrame frame, Outcome outcome, long token = 0) =>
        Answer(frame, new CommandResult { Outcome = outcome, Token = token, Floor = token });

    public void Answer(ClientFrame frame, ErrorCode error) => Answer(frame, new CommandResult { Error = error });

    public void AnswerKeepAlive(ClientFrame frame, ErrorCode error = ErrorCode.Ok)
    {
        Assert.NotNull(frame.KeepAlive);
        Receive(new ServerFrame
        {
            CorrelationId = frame.CorrelationId,
            KeepAlive = new KeepAliveAnswer { SessionId = frame.KeepAlive.SessionId, Error = error },
        });
    }

    public ClientFrame Take()
    {
        Assert.NotEmpty(Sent);
        return Sent.Dequeue();
    }

    public ClientFrame Take(Command.OperationOneofCase operation)
    {
        ClientFrame frame = Take();
        Assert.Equal(operation, frame.Command?.OperationCase);
        return frame;
    }

    /// <summary>The frames of one kind among those sent; the rest is passed over.</summary>
    public ClientFrame TakeNext(Func<ClientFrame, bool> isWanted)
    {
        while (true)
        {
            ClientFrame frame = Take();
            if (isWanted(frame))
                return frame;
        }
    }

    /// <summary>Submits a first acquire and carries it up to the sent AcquireLock frame.</summary>
    public (AcquireOperation Operation, object Caller, ClientFrame Frame) StartAcquire(
        TimeSpan wait, string name = "orders/42", long sessionId = 7)
    {
        AcquireOperation operation = new(name, wait);
        object caller = Submit(operation);
        if (Opened.Count == Lost.Count)
        {
            if (Connects.Count == 0)
                Assert.Fail("Nothing was connected.");
            if (Sent.Count == 0)
                Connect();
            Answer(Take(Command.OperationOneofCase.CreateSession),
                new CommandResult { Outcome = Outcome.Done, SessionId = sessionId });
        }
        return (operation, caller, Take(Command.OperationOneofCase.AcquireLock));
    }

    public (Holding Holding, object Caller) AcquireNow(string name = "orders/42", long token = 42)
    {
        var (_, caller, frame) = StartAcquire(TimeSpan.FromSeconds(5), name);
        Answer(frame, Outcome.Granted, token);
        return (Assert.IsType<Completion.Acquired>(Completed[caller]).Holding, caller);
    }

    private bool IsObserving(ClientFrame frame) => !ShowsObservers
        && (frame.Watch?.Session is not null
            || (frame.Abandon is not null && Observers.Exists(observer => observer.CorrelationId == frame.CorrelationId)));

    private void Drain()
    {
        foreach (ClientEffect effect in Machine.TakeEffects())
        {
            if (effect is not ClientEffect.Logged && !(effect is ClientEffect.Send { Frame: var frame } && IsObserving(frame)))
                Order.Add(effect.GetType().Name);
            Note(effect);
        }
    }

    private void Note(ClientEffect effect)
    {
        switch (effect)
        {
            case ClientEffect.Connect connect:
                Link = connect.Link;
                Connects.Add(connect.Endpoint);
                break;
            case ClientEffect.Disconnect disconnect:
                Disconnects.Add(disconnect.Link);
                break;
            case ClientEffect.Send send:
                Assert.Equal(Link, send.Link);
                if (!IsObserving(send.Frame))
                    Sent.Enqueue(send.Frame);
                else if (send.Frame.Watch is not null)
                    Observers.Add(send.Frame);
                break;
            case ClientEffect.SessionOpened opened:
                Opened.Add(opened.Session);
                break;
            case ClientEffect.SessionLost lost:
                Lost.Add(lost.Session);
                break;
            case ClientEffect.Arrived arrived:
                Arrived.Add(arrived);
                break;
            case ClientEffect.HoldingLost lost:
                LostHoldings.Add(lost.Holding);
                break;
            case ClientEffect.ReleaseRequested requested:
                Asked.Add((requested.Holding, requested.Reason));
                break;
            case ClientEffect.LeaseLost lost:
                LostLeases.Add(lost.Lease);
                break;
            case ClientEffect.Completed completed:
                Completed.Add(completed.Caller, completed.Completion);
                break;
            case ClientEffect.Stopped:
                IsStopped = true;
                break;
        }
    }
}
