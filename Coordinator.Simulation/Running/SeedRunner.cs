using System.Globalization;
using Coordinator.Simulation.Cluster;
using Coordinator.Simulation.Engine;
using Coordinator.Simulation.Faults;

namespace Coordinator.Simulation.Running;

/// <summary>Runs seeds, sums up what happened, and says how to run a failing one again.</summary>
internal static class SeedRunner
{
    /// <summary>From so many seeds on, a kind of fault or a branch that never happened is a failure of its own.</summary>
    public const long SeedsForAllHappenings = 300;

    public static int RunOne(ulong seed, PlantedBug bug, Reduction reduction, bool traces, TextWriter output)
    {
        try
        {
            RunResult result = SimulationRun.Run(seed, bug, traces ? output : null, hashesTrace: true, reduction);
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"seed {seed}: well; {result.Events} events, {result.TraceLines} lines, trace {result.TraceHash:x16}"));
            return 0;
        }
        catch (InvariantViolation violation)
        {
            FailureReport.Print(seed, bug, reduction, violation, output);
            return 1;
        }
    }

    public static int Shrink(ulong seed, PlantedBug bug, long runsMax, TextWriter output)
    {
        if (new Shrinker(seed, bug, runsMax).Shrink() is not { } shrunk)
        {
            output.WriteLine($"seed {seed}: well; there is nothing to shrink");
            return 0;
        }
        shrunk.Describe(bug, output);
        return 1;
    }

    public static int RunMany(ulong from, long count, bool twice, TextWriter output)
    {
        var total = new Happenings();
        double hours = 0;
        double peerHours = 0;
        TimeSpan before = Environment.CpuUsage.TotalTime;
        for (ulong seed = from; seed < from + (ulong)count; seed++)
        {
            try
            {
                RunResult result = SimulationRun.Run(seed, PlantedBug.None, hashesTrace: twice);
                total.Add(result.Happenings);
                hours += result.SimulatedUs / 3.6e9;
                peerHours += result.SimulatedUs / 3.6e9 * result.Peers;
                if (twice && !IsRepeated(seed, result, output))
                    return 1;
            }
            catch (InvariantViolation violation)
            {
                FailureReport.Print(seed, PlantedBug.None, Reduction.None, violation, output);
                return 1;
            }
        }
        PrintTable(total, output);
        // Not the wall clock: the figure is to be the same on a busy machine.
        double minutes = (Environment.CpuUsage.TotalTime - before).TotalMinutes;
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{count} seeds well in {minutes:0.0} minutes of one core; {hours:0.0} simulated cluster-hours, {hours / minutes:0.0} a minute; {peerHours:0.0} peer-hours, {peerHours / minutes:0.0} a minute"));
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
        string[] missing = [.. total.MissingFaults().Select(kind => $"fault {kind}"), .. total.Missing().Select(happening => $"{happening}")];
        foreach (string what in missing)
            output.WriteLine($"never happened in {count} seeds: {what}");
        return missing.Length == 0;
    }

    private static void PrintTable(Happenings total, TextWriter output)
    {
        foreach (FaultKind kind in Happenings.AllFaults)
            output.WriteLine($"fault {kind,-22}{total[kind],12}");
        foreach (Happening happening in Happenings.All)
            output.WriteLine($"{happening,-28}{total[happening],12}");
    }
}
