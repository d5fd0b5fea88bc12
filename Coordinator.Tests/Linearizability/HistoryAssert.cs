using Coordinator.Simulation.Linearizability;

namespace Coordinator.Tests.Linearizability;

internal static class HistoryAssert
{
    /// <summary>
    /// The history is linearizable, and that was decided. If not, it is written to a file, for
    /// <c>Coordinator.Simulation --check</c>.
    /// </summary>
    public static CheckResult IsLinearizable<TInput, TOutput, TState>(
        Model<TInput, TOutput, TState> model, OperationRecorder<TInput, TOutput> recorder)
        where TInput : class
        where TOutput : class
    {
        IReadOnlyList<HistoryEvent<TInput, TOutput>> history = recorder.History();
        CheckResult result = LinearizabilityChecker.Check(model, history);
        if (result.Verdict == Verdict.Linearizable)
            return result;
        string folder = Directory.CreateDirectory(Path.Combine(AppContext.BaseDirectory, "histories")).FullName;
        string path = Path.Combine(folder, $"{model.Name}-{Guid.NewGuid():N}.jsonl");
        using (StreamWriter writer = File.CreateText(path))
            HistoryFile.Write(writer, model, history);
        Assert.Fail($"{result}\ndotnet run -c Release --project Coordinator.Simulation -- --check {path}");
        return result;
    }
}
