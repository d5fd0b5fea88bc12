using System.Diagnostics;
using Coordinator.Grains.Storage;
using Coordinator.Raft;
using Coordinator.Replica.Storage;
using Coordinator.Tests.Postgres;

namespace Coordinator.Tests.Storage.Equivalence;

/// <summary>What a client's connections hold back.</summary>
internal enum Held
{
    Nothing,
    Requests,
    Answers,
}

/// <summary>
/// One silo's storage, behind a proxy of its own. Invariant: what a step holds or cuts is a connection that was open and
/// answered before the step.
/// </summary>
internal sealed class ScriptClient(string name, PeerDatabase database, PostgresProxy proxy)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly PeerKey Nobody = new(int.MaxValue, new PeerId(1));

    // The pool hands out idle connections in turn; a script's client never has more of them.
    private const int IdleMax = 3;

    private bool _writes;
    private bool _reads;

    public string Name => name;

    public PeerDatabase Database => database;

    /// <summary>The connections that are open now are gone, what they held with them.</summary>
    public void Break()
    {
        proxy.CutClients();
        Forget();
    }

    /// <summary>Cut, while the server goes on with what it has, or gets what is held.</summary>
    public void Abandon()
    {
        proxy.CutClients();
        _writes = _reads = false;
    }

    /// <summary>Closes the server's side of what was abandoned.</summary>
    public void Forget()
    {
        proxy.DiscardCut();
        _writes = _reads = false;
    }

    public void WriterWasLost() => _writes = false;

    /// <summary>Lets a broken connection fail, so that the next write meets none.</summary>
    public Task DropWriterAsync() => WriteNobodyAsync();

    /// <summary>The held requests arrive, and are answered.</summary>
    public async Task LandAsync()
    {
        long answered = proxy.AnsweredBytes;
        proxy.Release();
        await UntilAsync(() => proxy.AnsweredBytes > answered);
    }

    public async Task ReadyToWriteAsync()
    {
        while (!_writes)
        {
            _writes = await WriteNobodyAsync() == WriteOutcome.Missing;
        }
    }

    public async Task ReadyToReadAsync()
    {
        while (!_reads)
        {
            _reads = await database.ReadEpochsAsync() is not null;
        }
    }

    /// <summary>Asked anew each time: what is idle in the pool may have been killed, or taken by the writer, since.</summary>
    public async Task ReadyToTakeAsync()
    {
        for (int answered = 0; answered < IdleMax;)
        {
            answered = await database.ActivateAsync(Nobody, name, CancellationToken.None) is ActivationResult.Missing
                ? answered + 1
                : 0;
        }
    }

    /// <summary>Asks over a connection that breaks before the request arrives, or before the answer does.</summary>
    public async Task<T> UnansweredAsync<T>(bool isExecuted, Func<Task<T>> ask)
    {
        Func<Task> arrived = Hold(isExecuted ? Held.Answers : Held.Requests);
        Task<T> answer = ask();
        await arrived();
        Break();
        return await answer;
    }

    /// <summary>Holds from now on.</summary>
    /// <returns>Waits until something is held.</returns>
    public Func<Task> Hold(Held held)
    {
        Func<Task> arrives = Arrival(held);
        if (held == Held.Requests)
        {
            proxy.HoldRequests();
        }
        else if (held == Held.Answers)
        {
            proxy.HoldAnswers();
        }

        return arrives;
    }

    /// <summary>Sends writes in one statement, and returns when what is to be held of it is held.</summary>
    public async Task<Task<WriteOutcome>[]> SendAsync(Sending sending, Held held)
    {
        await ReadyToWriteAsync();
        if (sending.Writes.Count == 1)
        {
            Func<Task> arrived = Hold(held);
            Task<WriteOutcome>[] write = [database.WriteAsync(sending.Writes[0])];
            await arrived();
            return write;
        }

        // What comes while a statement is on its way is gathered for the next.
        Func<Task> gathering = Hold(Held.Answers);
        Task<WriteOutcome> first = WriteNobodyAsync();
        await gathering();
        Func<Task> next = held == Held.Answers ? Arrival(held) : Hold(held);
        Task<WriteOutcome>[] writes = [.. sending.Writes.Select(database.WriteAsync)];
        if (held == Held.Nothing)
        {
            proxy.ReleaseAnswers();
        }
        else
        {
            proxy.PassHeldAnswers();
        }

        await first;
        await next();
        return writes;
    }

    private Func<Task> Arrival(Held held)
    {
        long requested = proxy.RequestedBytes;
        long answered = proxy.AnsweredBytes;
        return held switch
        {
            Held.Requests => () => UntilAsync(() => proxy.RequestedBytes > requested),
            Held.Answers => () => UntilAsync(() => proxy.AnsweredBytes > answered),
            _ => () => Task.CompletedTask,
        };
    }

    /// <summary>Waits for a condition; missing evidence fails the test.</summary>
    public static async Task UntilAsync(Func<Task<bool>> condition)
    {
        long started = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(started) < Patience, $"Not seen in {Patience}.");
            await Task.Delay(1);
        }
    }

    private static Task UntilAsync(Func<bool> condition) => UntilAsync(() => Task.FromResult(condition()));

    private Task<WriteOutcome> WriteNobodyAsync() => database.WriteAsync(
        new PeerWrite { Key = Nobody, Epoch = 1, WriteSeq = 1, HardState = default });
}
