using Coordinator.Simulation.Linearizability;

namespace Coordinator.Simulation.Running;

/// <summary>
/// Checks a history from a file. Exit codes: 0 linearizable, 1 not linearizable, 2 not understood, 3 undecided.
/// </summary>
internal static class HistoryCheck
{
    /// <param name="model">The model that the file has to name; null: any.</param>
    public static int Run(string path, string? model, TextWriter output, TextWriter errors)
    {
        try
        {
            using StreamReader reader = File.OpenText(path);
            CheckResult result = HistoryFile.Check(reader, model);
            foreach (PartitionResult partition in result.Partitions)
                output.WriteLine(partition.Verdict == Verdict.Linearizable ? partition.Headline : partition.Report(int.MaxValue));
            output.WriteLine($"{result.Verdict}: {result.Partitions.Count} keys, {result.Partitions.Sum(p => (long)p.Operations)} operations, {result.Steps} steps");
            return result.Verdict switch
            {
                Verdict.Linearizable => 0,
                Verdict.NotLinearizable => 1,
                _ => 3,
            };
        }
        catch (Exception e) when (e is FormatException or IOException or UnauthorizedAccessException)
        {
            errors.WriteLine($"{path}: {e.Message}");
            return 2;
        }
    }
}
