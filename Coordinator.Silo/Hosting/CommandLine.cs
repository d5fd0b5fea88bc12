using Coordinator.Silo.Operator;

namespace Coordinator.Silo.Hosting;

/// <summary>
/// The words after the program's name: short names for the common options, long ones for all. A word that would be
/// passed over in silence is refused.
/// </summary>
internal static class CommandLine
{
    public const string Usage = $"""
        Coordinator silo: locks, leases, elections and configuration.

          --config FILE             options in a JSON file, over those of appsettings.json
          --listen ADDRESS          where to serve            (default {OptionsReader.DefaultListen})
          --data FOLDER             what is kept, kept here   (default {OptionsReader.DefaultDataFolder}, of the current directory)
          --postgres FOLDER         the folder of initdb, pg_ctl and postgres (default: search PATH and the usual folders)
          --allow-insecure true     serve other machines without encryption and authentication
          --restore FILE|FOLDER     make a new cluster of a snapshot file, or of a folder with one of each group, in
                                    empty databases; in a cluster the same on all silos
          --floor N                 with --restore: index and revision begin at N at the lowest
          --hold-back TIME          with --restore: nothing is granted for so long (default {OptionsReader.DefaultHoldBack})
          --Coordinator:NAME VALUE  any option of the section Coordinator in appsettings.json
          --ConnectionStrings:Coordinator "Host=…"   use this PostgreSQL server instead of a private one

        The environment works too: Coordinator__Listen, ConnectionStrings__Coordinator.

        For the operator:

        {OperatorCommands.Commands}
        """;

    private const string ConfigFile = "--config";

    public static readonly Dictionary<string, string> ShortNames = new(StringComparer.OrdinalIgnoreCase)
    {
        [ConfigFile] = "ConfigFile",
        ["--listen"] = "Coordinator:Listen",
        ["--data"] = "Coordinator:DataFolder",
        ["--postgres"] = "Coordinator:Postgres:BinFolder",
        [Restore] = "Coordinator:Restore:File",
        ["--floor"] = "Coordinator:Restore:Floor",
        ["--hold-back"] = "Coordinator:Restore:HoldBack",
        ["--allow-insecure"] = "Coordinator:AllowInsecure",
    };

    private const string Restore = "--restore";

    private static readonly string[] Sections = ["--Coordinator:", "--ConnectionStrings:", "--Logging:"];

    public static bool AsksForHelp(IEnumerable<string> args) => args.Any(arg => arg is "--help" or "-h" or "-?");

    /// <summary>The file that --config names, the last one counts; null: none.</summary>
    public static string? FindConfigFile(IReadOnlyList<string> args)
    {
        string? file = null;
        for (int i = 0; i < args.Count; i++)
        {
            if (args[i].Equals(ConfigFile, StringComparison.OrdinalIgnoreCase) && i + 1 < args.Count)
                file = args[++i];
            else if (args[i].StartsWith(ConfigFile + "=", StringComparison.OrdinalIgnoreCase))
                file = args[i][(ConfigFile.Length + 1)..];
        }
        return file;
    }

    /// <exception cref="StartupException">A word is not understood.</exception>
    public static void Check(IReadOnlyList<string> args)
    {
        int restores = 0;
        for (int i = 0; i < args.Count; i++)
        {
            string name = args[i].Split('=')[0];
            if (name.Equals(Restore, StringComparison.OrdinalIgnoreCase) && ++restores > 1)
            {
                throw new StartupException(
                    ExitCode.BadOptions, $"{Restore} is given twice: put the files of all groups into one folder, and name that.");
            }

            if (!ShortNames.ContainsKey(name)
                && !Sections.Any(section => name.StartsWith(section, StringComparison.OrdinalIgnoreCase)))
            {
                throw new StartupException(ExitCode.BadOptions, $"\"{args[i]}\" is not understood.\n\n{Usage}");
            }

            if (!args[i].Contains('=', StringComparison.Ordinal) && ++i == args.Count)
            {
                throw new StartupException(ExitCode.BadOptions, $"{name} wants a value after it.\n\n{Usage}");
            }
        }
    }
}
