using System.Globalization;

namespace Coordinator.Simulation.Running;

/// <summary>What the program can be asked for. Exit codes: 0 all well, 1 a violated invariant, 2 not understood; of --check, see <see cref="HistoryCheck"/>.</summary>
internal static class CommandLine
{
    private const string Usage =
        """
        Coordinator.Simulation: whole clusters on virtual time, network and storage.

          --seeds N [--from S]   run the seeds S (default 1) to S + N - 1; stop at the first violated invariant
          --seed S [--trace] [--only NAME]
                                 run one seed; --trace prints every event; --only plants a bug in it
          --twice                run each seed twice and compare their traces byte for byte
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
        if (asked.Bugs)
            return BugHunt.Run(asked.Limit, asked.Only, output);
        return asked.Seed is { } seed
            ? SeedRunner.RunOne(seed, BugHunt.Find(asked.Only), asked.Trace, output)
            : SeedRunner.RunMany(asked.From, asked.Seeds, asked.Twice, output);
    }

    private static Asked? Parse(string[] args, TextWriter errors)
    {
        var asked = new Asked();
        for (int i = 0; i < args.Length; i++)
        {
            string name = args[i];
            if (name is "--trace" or "--twice" or "--bugs")
            {
                asked = name == "--trace" ? asked with { Trace = true } : name == "--twice" ? asked with { Twice = true } : asked with { Bugs = true };
                continue;
            }
            string? text = ++i < args.Length ? args[i] : null;
            if ((name is "--only" or "--check" or "--model") && text is not null)
            {
                asked = name == "--only" ? asked with { Only = text } : name == "--check" ? asked with { Check = text } : asked with { Model = text };
                continue;
            }
            if (!ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong value))
            {
                errors.WriteLine($"{name} {text}: not understood.");
                return null;
            }
            Asked? next = With(asked, name, value);
            if (next is null)
            {
                errors.WriteLine($"{name}: there is no such option.");
                return null;
            }
            asked = next;
        }
        return asked;
    }

    private static Asked? With(Asked asked, string name, ulong value) => name switch
    {
        "--seeds" => asked with { Seeds = (long)value },
        "--seed" => asked with { Seed = value },
        "--from" => asked with { From = value },
        "--limit" => asked with { Limit = (long)value },
        _ => null,
    };

    private sealed record Asked
    {
        public long Seeds { get; init; } = 100;

        public ulong From { get; init; } = 1;

        public ulong? Seed { get; init; }

        public long Limit { get; init; } = 3_000;

        public string? Only { get; init; }

        public string? Check { get; init; }

        public string? Model { get; init; }

        public bool Trace { get; init; }

        public bool Twice { get; init; }

        public bool Bugs { get; init; }
    }
}
