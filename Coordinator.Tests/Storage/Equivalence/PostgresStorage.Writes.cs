using Coordinator.Grains.Storage;
using Coordinator.Replica.Storage;

namespace Coordinator.Tests.Storage.Equivalence;

internal sealed partial class PostgresStorage
{
    private async Task<StepResult> WriteAsync(ScriptStep step)
    {
        switch (step)
        {
            case ScriptStep.Writes writes when _isDown:
                return await OutcomesAsync([.. writes.Sending.Writes.Select(ClientOf(writes.Sending).Database.WriteAsync)]);
            case ScriptStep.Writes writes:
                return await OutcomesAsync(await ClientOf(writes.Sending).SendAsync(writes.Sending, Held.Nothing));
            case ScriptStep.WritesUnanswered writes:
                return await BreakAsync(writes.Sending, writes.IsExecuted ? Held.Answers : Held.Requests);
            case ScriptStep.WritesLate writes:
                return await SendLateAsync(writes.Sending);
            case ScriptStep.LateLands:
                await _late!.LandAsync();
                _late.Forget();
                _late = null;
                return StepResult.Done;
            case ScriptStep.WritesRefused writes:
                return await RefuseAsync(writes.Sending);
            case ScriptStep.WritesNonsense writes:
                Assert.Throws<ArgumentException>(() => { _ = ClientOf(writes.Sending).Database.WriteAsync(writes.Sending.Writes[0]); });
                return new StepResult("nonsense");
            case ScriptStep.WritesKilled writes:
                return await KillAsync(writes.Sending);
            case ScriptStep.WritesOvertaken writes:
                return await OvertakeAsync(writes.Sending, writes.Taking);
            case ScriptStep.WritesWhileTaken writes:
                return await MeetAsync(writes.Sending, writes.Taking);
            case ScriptStep.WritesWhileWritten writes:
                return await MeetAsync(writes.Sending, writes.Other);
            case ScriptStep.WritesInDoubt writes:
                return await DoubtAsync(writes.Sending, writes.Taking);
            default:
                throw new InvalidOperationException($"Unknown step {step}.");
        }
    }

    private ScriptClient ClientOf(Sending sending) => clients[sending.Client];

    private static async Task<StepResult> OutcomesAsync(Task<WriteOutcome>[] writes) =>
        StepResult.Of(await Task.WhenAll(writes));

    private async Task<StepResult> BreakAsync(Sending sending, Held held)
    {
        ScriptClient client = ClientOf(sending);
        Task<WriteOutcome>[] writes = await client.SendAsync(sending, held);
        client.Break();
        return await OutcomesAsync(writes);
    }

    private async Task<StepResult> SendLateAsync(Sending sending)
    {
        _late = ClientOf(sending);
        Task<WriteOutcome>[] writes = await _late.SendAsync(sending, Held.Requests);
        _late.Abandon();
        return await OutcomesAsync(writes);
    }

    private async Task<StepResult> RefuseAsync(Sending sending)
    {
        ScriptClient client = ClientOf(sending);
        await client.ReadyToWriteAsync();
        await steered.RefuseWritesAsync();
        StepResult result = await OutcomesAsync([.. sending.Writes.Select(client.Database.WriteAsync)]);
        await steered.AdmitWritesAsync();
        client.WriterWasLost();
        return result;
    }

    private async Task<StepResult> KillAsync(Sending sending)
    {
        await steered.HoldCommitsAsync();
        Task<WriteOutcome> write = await BeginAsync(sending);
        await steered.TerminateWaitingAsync(ClientOf(sending).Name);
        StepResult result = await OutcomesAsync([write]);
        await steered.ReleaseAsync();
        ClientOf(sending).WriterWasLost();
        return result;
    }

    private async Task<StepResult> OvertakeAsync(Sending sending, Taking taking)
    {
        await clients[taking.Client].ReadyToTakeAsync();
        await ClientOf(sending).ReadyToWriteAsync();
        await steered.HoldBeginsAsync();
        Task<WriteOutcome> write = await BeginAsync(sending);
        StepResult taken = Result(await TakeAsync(taking));
        await steered.ReleaseAsync();
        return (await OutcomesAsync([write])).And(taken);
    }

    private async Task<StepResult> MeetAsync(Sending sending, Taking taking)
    {
        ScriptClient other = clients[taking.Client];
        await other.ReadyToTakeAsync();
        await ClientOf(sending).ReadyToWriteAsync();
        await steered.HoldCommitsAsync();
        Task<WriteOutcome> write = await BeginAsync(sending);
        Task<ActivationResult> taken = TakeAsync(taking);
        await UntilWaitsAsync(other, 0, taken);
        await steered.ReleaseAsync();
        return (await OutcomesAsync([write])).And(Result(await taken));
    }

    private async Task<StepResult> MeetAsync(Sending sending, Sending met)
    {
        await ClientOf(met).ReadyToWriteAsync();
        await ClientOf(sending).ReadyToWriteAsync();
        await steered.HoldCommitsAsync();
        Task<WriteOutcome> write = await BeginAsync(sending);
        Task<WriteOutcome> other = await BeginAsync(met);
        await steered.ReleaseAsync();
        return await OutcomesAsync([write, other]);
    }

    private async Task<StepResult> DoubtAsync(Sending sending, Taking taking)
    {
        ScriptClient client = ClientOf(sending);
        await client.ReadyToWriteAsync();
        await steered.HoldCommitsAsync();
        Func<Task> answered = client.Hold(Held.Answers);
        Task<WriteOutcome> write = client.Database.WriteAsync(sending.Writes[0]);
        Task answer = answered();
        await UntilWaitsAsync(client, 0, answer);
        client.Abandon();
        StepResult outcome = await OutcomesAsync([write]);
        long waiting = await steered.WaitingAsync(client.Name);
        Task<StepResult> taken = TakeBackAsync(client, taking);
        await UntilWaitsAsync(client, waiting, taken);
        await steered.ReleaseAsync();
        StepResult result = await taken;
        await ScriptClient.UntilAsync(async () => await steered.ActiveAsync(client.Name) == 0);
        await answer;
        client.Forget();
        return outcome.And(result);
    }

    private async Task<StepResult> TakeBackAsync(ScriptClient client, Taking taking)
    {
        await client.ReadyToTakeAsync();
        return Result(await TakeAsync(taking));
    }

    /// <summary>Until the write waits where writes are held, or has ended because it was not admitted.</summary>
    private async Task<Task<WriteOutcome>> BeginAsync(Sending sending)
    {
        ScriptClient client = ClientOf(sending);
        await client.ReadyToWriteAsync();
        Task<WriteOutcome> write = client.Database.WriteAsync(sending.Writes[0]);
        await UntilWaitsAsync(client, 0, write);
        return write;
    }
}
