using System.Globalization;
using Coordinator.Simulation.Cluster;

namespace Coordinator.Simulation.Running;

/// <summary>What the program can be asked for. Exit codes: 0 all well, 1 a violated invariant, 2 not understood; of --check, see <see cref="HistoryCheck"/>.</summary>
internal static class CommandLine
{
    private const long SeedsPerBugMax = 3_000;
    private const long RunsPerShrinkMax = 1_000;

    private const string Usage =
        """
        Coordinator.Simulation: whole clusters on virtual time, network and storage.

          --seeds N [--from S]   run the seeds S (default 1) to S + N - 1; stop at the first violated invariant
          --twice                run each seed twice and compare their traces byte for byte
          --seed S [--trace] [--only NAME]
                                 run one seed; --trace prints every event; --only plants a bug in it
            --faults 3,7,9       with these of its faults alone, or none
            --clients 0,2        with these of its clients alone
            --until MS           healed at this virtual time, if that is earlier
            --calm               on a network that only faults disturb
          --shrink S [--only NAME] [--limit N]
                                 look for the smallest run in which a failing seed violates the same invariant, in N runs
                                 at most (default 1000)
          --bugs [--limit N] [--only NAME]
                                 plant each known bug, or those with NAME in theirs, and search up to N seeds
                                 (default 3000) for one that shows it
          --check FILE [--model NAME]
                                 check a client history, of the model NAME if that is given: each key's verdict, and what
                                 can't be explained. Exits with 0 if it is linearizable, 1 if not, 3 if undecided
        """;

    public static int Run(string[] args, TextWriter output, TextWriter errors)
    {
        if (Parse(args, errors) is not { } asked)
        {
            errors.WriteLine(Usage);
            return 2;
        }
        if (asked.Check is { } history)
            return HistoryCheck.Run(history, asked.Model, output, errors);
        PlantedBug[] planted = [.. PlantedBugs.All.Where(bug => bug.Name.Contains(asked.Only ?? "", StringComparison.OrdinalIgnoreCase))];
        if (planted.Length == 0)
        {
            errors.WriteLine($"--only {asked.Only}: no bug that can be planted has this in its name.");
            return 2;
        }
        if (asked.Bugs)
            return BugHunt.Run(planted, asked.Limit ?? SeedsPerBugMax, output);
        PlantedBug bug = asked.Only is null ? PlantedBug.None : planted[0];
        if (asked.Shrink is { } failing)
            return SeedRunner.Shrink(failing, bug, asked.Limit ?? RunsPerShrinkMax, output);
        return asked.Seed is { } seed
            ? SeedRunner.RunOne(seed, bug, asked.Reduction, asked.Trace, output)
            : SeedRunner.RunMany(asked.From, asked.Seeds, asked.Twice, output);
    }

    private static Asked? Parse(string[] args, TextWriter errors)
    {
        var asked = new Asked();
        for (int i = 0; i < args.Length; i++)
        {
            string name = args[i];
            if (WithSwitch(asked, name) is { } switched)
            {
                asked = switched;
                continue;
            }
            string? text = ++i < args.Length ? args[i] : null;
            if (text is null || WithValue(asked, name, text) is not { } next)
            {
                errors.WriteLine($"{name} {text}: not understood.");
                return null;
            }
            asked = next;
        }
        return asked;
    }

    private static Asked? WithSwitch(Asked asked, string name) => name switch
    {
        "--trace" => asked with { Trace = true },
        "--twice" => asked with { Twice = true },
        "--bugs" => asked with { Bugs = true },
        "--calm" => asked with { Reduction = asked.Reduction with { IsCalm = true } },
        _ => null,
    };

    private static Asked? WithValue(Asked asked, string name, string text) => name switch
    {
        "--only" => asked with { Only = text },
        "--check" => asked with { Check = text },
        "--model" => asked with { Model = text },
        "--faults" when Numbers(text) is { } kept => asked with { Reduction = asked.Reduction with { Faults = kept } },
        "--clients" when Numbers(text) is { } kept => asked with { Reduction = asked.Reduction with { Clients = kept } },
        _ => ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong value)
            ? WithNumber(asked, name, value)
            : null,
    };

    private static Asked? WithNumber(Asked asked, string name, ulong value) => name switch
    {
        "--seeds" => asked with { Seeds = (long)value },
        "--seed" => asked with { Seed = value },
        "--from" => asked with { From = value },
        "--limit" => asked with { Limit = (long)value },
        "--shrink" => asked with { Shrink = value },
        "--until" => asked with { Reduction = asked.Reduction with { UntilMs = (long)value } },
        _ => null,
    };

    private static int[]? Numbers(string text)
    {
        if (text == "none")
            return [];
        string[] parts = text.Split(',');
        int[] numbers = new int[parts.Length];
        for (int i = 0; i < parts.Length; i++)
        {
            if (!int.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out numbers[i]))
                return null;
        }
        return numbers;
    }
}
