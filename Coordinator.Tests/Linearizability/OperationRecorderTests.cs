using Coordinator.Simulation.Linearizability;

namespace Coordinator.Tests.Linearizability;

public sealed class OperationRecorderTests
{
    [Fact]
    public async Task Threads_that_share_a_real_lock_leave_a_linearizable_history()
    {
        const int Clients = 4;
        const int Rounds = 200;
        OperationRecorder<LockInput, LockOutput> recorder = new(TimeProvider.System);
        long holder = 0;
        long token = 0;
        await Task.WhenAll(Enumerable.Range(1, Clients).Select(client => Task.Run(() =>
        {
            for (int i = 0; i < Rounds; i++)
            {
                int acquire = recorder.Invoke(client, new LockInput.Acquire("l", client));
                if (Interlocked.CompareExchange(ref holder, client, 0) != 0)
                {
                    recorder.Return(acquire, new LockOutput.NotAcquired());
                    continue;
                }
                long mine = ++token;
                recorder.Return(acquire, new LockOutput.Granted(mine));
                int release = recorder.Invoke(client, new LockInput.Release("l", client, mine));
                Volatile.Write(ref holder, 0);
                recorder.Return(release, new LockOutput.Released());
            }
        })));
        IReadOnlyList<HistoryEvent<LockInput, LockOutput>> history = recorder.History();
        Assert.Equal(history.Select(e => e.AtUs).Order(), history.Select(e => e.AtUs));
        Assert.Equal(2 * ((Clients * Rounds) + token), history.Count);
        CheckResult result = LinearizabilityChecker.Check(new LockModel(), history);
        Assert.True(result.Verdict == Verdict.Linearizable, result.ToString());
    }

    [Fact]
    public void An_operation_ends_once()
    {
        OperationRecorder<RegisterInput, RegisterOutput> recorder = new(new ManualTime());
        int operation = recorder.Invoke(1, new RegisterInput.Read());
        recorder.GiveUp(operation);
        Assert.Throws<InvalidOperationException>(() => recorder.Return(operation, new RegisterOutput.Value(1)));
        Assert.Throws<InvalidOperationException>(() => recorder.HadNoEffect(operation + 1));
        Assert.Equal(2, recorder.History().Count);
    }
}
