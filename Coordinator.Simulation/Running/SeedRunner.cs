using System.Diagnostics;
using System.Globalization;
using Coordinator.Simulation.Cluster;
using Coordinator.Simulation.Engine;

namespace Coordinator.Simulation.Running;

/// <summary>Runs seeds, sums up what happened, and says how to run a failing one again.</summary>
internal static class SeedRunner
{
    /// <summary>From so many seeds on, a kind of fault or a branch that never happened is a failure of its own.</summary>
    public const long SeedsForAllHappenings = 300;

    public static int RunOne(ulong seed, PlantedBug bug, bool traces, TextWriter output)
    {
        try
        {
            RunResult result = SimulationRun.Run(seed, bug, traces ? output : null, hashesTrace: true);
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"seed {seed}: well; {result.Events} events, {result.TraceLines} lines, trace {result.TraceHash:x16}"));
            return 0;
        }
        catch (InvariantViolation violation)
        {
            Report(seed, violation, output);
            return 1;
        }
    }

    public static int RunMany(ulong from, long count, bool twice, TextWriter output)
    {
        var total = new Happenings();
        long peerTimeUs = 0;
        var watch = Stopwatch.StartNew();
        for (ulong seed = from; seed < from + (ulong)count; seed++)
        {
            try
            {
                RunResult result = SimulationRun.Run(seed, PlantedBug.None, hashesTrace: twice);
                total.Add(result.Happenings);
                peerTimeUs += result.PeerTimeUs;
                if (twice && !IsRepeated(seed, result, output))
                    return 1;
            }
            catch (InvariantViolation violation)
            {
                Report(seed, violation, output);
                return 1;
            }
        }
        PrintTable(total, output);
        double minutes = watch.Elapsed.TotalMinutes;
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{count} seeds well in {minutes:0.0} minutes; {peerTimeUs / 3.6e9:0.0} simulated peer-hours, {peerTimeUs / 3.6e9 / minutes:0.0} a minute"));
        return AllHappened(count, total, output) ? 0 : 1;
    }

    private static bool IsRepeated(ulong seed, RunResult first, TextWriter output)
    {
        RunResult second = SimulationRun.Run(seed, PlantedBug.None, hashesTrace: true);
        if (second.TraceHash == first.TraceHash && second.TraceLines == first.TraceLines)
            return true;
        output.WriteLine($"seed {seed}: two runs differ in their traces");
        return false;
    }

    private static bool AllHappened(long count, Happenings total, TextWriter output)
    {
        if (count < SeedsForAllHappenings)
            return true;
        Happening[] missing = [.. total.Missing()];
        foreach (Happening happening in missing)
            output.WriteLine($"never happened in {count} seeds: {happening}");
        return missing.Length == 0;
    }

    private static void PrintTable(Happenings total, TextWriter output)
    {
        foreach (Happening happening in Happenings.All)
            output.WriteLine($"{happening,-28}{total[happening],12}");
    }

    private static void Report(ulong seed, InvariantViolation violation, TextWriter output)
    {
        output.WriteLine($"seed {seed}: {violation.Message}");
        if (violation.InnerException is { } inner)
            output.WriteLine(inner);
        output.WriteLine($"replay: dotnet run -c Release --project Coordinator.Simulation -- --seed {seed} --trace");
    }
}
