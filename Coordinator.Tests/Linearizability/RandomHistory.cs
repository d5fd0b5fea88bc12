using Coordinator.Simulation.Linearizability;

namespace Coordinator.Tests.Linearizability;

/// <summary>
/// Small concurrent histories from a seed. Each operation takes effect on a true copy at a random moment while it
/// runs; then some answers are lost and some falsified, so that both verdicts come up.
/// </summary>
internal static class RandomHistory
{
    private const double UnknownShare = 0.15;
    private const double HiddenEffectShare = 0.5;
    private const double FalseShare = 0.25;
    private const int ClientsMax = 4;
    private const int OperationsMax = 9;

    /// <param name="apply">Does one input on the true copy and answers it.</param>
    /// <param name="falsify">Another answer to the input, that may by chance be right.</param>
    public static IReadOnlyList<HistoryEvent<TInput, TOutput>> Make<TInput, TOutput>(
        Random random, Func<TInput> input, Func<TInput, TOutput> apply,
        Func<TInput, TOutput, TOutput> falsify)
        where TInput : class
        where TOutput : class
    {
        OperationRecorder<TInput, TOutput> recorder = new(new ManualTime());
        List<(int Id, TInput Input, TOutput? Output)> running = [];
        List<TInput> late = [];
        int operations = random.Next(OperationsMax + 1);
        int begun = 0;
        while (begun < operations || running.Count > 0)
        {
            int at = random.Next(ClientsMax + 1);
            if (late.Count > 0 && random.Next(8) == 0)
            {
                apply(late[0]);
                late.RemoveAt(0);
            }
            else if (at >= running.Count)
            {
                if (begun >= operations || running.Count == ClientsMax)
                    continue;
                TInput asked = input();
                running.Add((recorder.Invoke(begun++, asked), asked, null));
            }
            else if (running[at].Output is { } output)
            {
                recorder.Return(running[at].Id,
                    random.NextDouble() < FalseShare ? falsify(running[at].Input, output) : output);
                running.RemoveAt(at);
            }
            else if (random.NextDouble() < UnknownShare)
            {
                if (random.NextDouble() < HiddenEffectShare)
                    late.Add(running[at].Input);
                recorder.GiveUp(running[at].Id);
                running.RemoveAt(at);
            }
            else
            {
                running[at] = running[at] with { Output = apply(running[at].Input) };
            }
        }
        return recorder.History();
    }
}
