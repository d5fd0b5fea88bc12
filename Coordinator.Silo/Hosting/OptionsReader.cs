using System.Globalization;
using System.Net;
using Coordinator.Contracts;
using Coordinator.Grains.Backup;
using Coordinator.Replica.State;
#if ORLEANS
using Coordinator.Silo.Orleans;
#endif
using Coordinator.Silo.Postgres;
using Npgsql;

namespace Coordinator.Silo.Hosting;

/// <summary>
/// Makes the options out of the configuration, or says all that is wrong with it at once: each problem names the
/// option, the value and what is allowed. A key that nothing reads is a problem too: most likely a misspelt one.
/// </summary>
internal static class OptionsReader
{
    public const string DefaultListen = "http://127.0.0.1:7400";
    public const string DefaultDataFolder = "./data";
    public const string DefaultHoldBack = "1 day and 1 minute, the longest that anybody may hold";

    /// <exception cref="StartupException">The options are bad.</exception>
    public static CoordinatorOptions Read(IConfiguration configuration)
    {
        SettingReader settings = new(configuration.GetSection(CoordinatorOptions.SectionName));
        IPEndPoint listen = settings.Read("Listen", DefaultListen, ListenAddress.Parse, ListenAddress.Allowed);
        HostKind host = ReadHost(settings);
        string? connectionString = ReadConnectionString(configuration, settings);
        CoordinatorOptions options = new()
        {
            Listen = listen,
            DataFolder = Path.GetFullPath(settings.Text("DataFolder", DefaultDataFolder)),
            AllowInsecure = settings.Flag("AllowInsecure", false),
            AllowedHosts = settings.List("AllowedHosts"),
            AllowedOrigins = settings.List("AllowedOrigins"),
            Cluster = new ClusterOptionsReader(settings).Read(host),
            Restore = ReadRestore(settings),
#if ORLEANS
            Orleans = host == HostKind.Orleans ? OrleansOptionsReader.Read(settings, connectionString) : null,
#endif
            Groups = settings.Number("Groups", 1, 1, Limits.GroupsMax),
            Peers = settings.Number("Peers", 3, 1, 7),
            ElectionTimeout = settings.Duration(
                "ElectionTimeout", TimeSpan.FromSeconds(1), TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(1)),
            HeartbeatInterval = settings.Duration(
                "HeartbeatInterval", TimeSpan.FromMilliseconds(100), TimeSpan.FromMilliseconds(10), TimeSpan.FromSeconds(10)),
            StateCheckEntries = settings.Number("StateCheckEntries", 10_000, 100, 10_000_000),
            TrustStorage = settings.Flag("TrustStorage", false),
            Postgres = new PostgresOptions(
                settings.OptionalText("Postgres:BinFolder"),
                settings.Text("Postgres:RunAs", "postgres"),
                settings.Duration(
                    "Postgres:StartTimeout", TimeSpan.FromMinutes(2), TimeSpan.FromSeconds(1), TimeSpan.FromHours(1))),
            ConnectionString = connectionString,
        };

        CheckTogether(options, settings);
        settings.CheckForUnknownKeys();
        return settings.Problems.Count == 0
            ? options
            : throw new StartupException(ExitCode.BadOptions, string.Join('\n', settings.Problems));
    }

    private static void CheckTogether(CoordinatorOptions options, SettingReader settings)
    {
        if (!IPAddress.IsLoopback(options.Listen.Address) && !options.AllowInsecure)
        {
            settings.AddProblem(
                $"Coordinator:Listen is {options.Listen}, which other machines can reach, and a silo does not encrypt or "
                + "authenticate: whoever reaches it can take and break every lock. Listen on a loopback address such as "
                + $"{DefaultListen}, or, if the network itself is safe, set Coordinator:AllowInsecure to true (--allow-insecure true).");
        }

        if (options.Cluster is { } cluster && !IPAddress.IsLoopback(cluster.LinkListen.Address) && !options.AllowInsecure)
        {
            settings.AddProblem(
                $"Coordinator:Cluster:LinkListen is {cluster.LinkListen}, which other machines can reach: the links ask for the "
                + "cluster's secret, and do not encrypt. If the network itself is safe, set Coordinator:AllowInsecure to true "
                + "(--allow-insecure true).");
        }

        if (options.HeartbeatInterval * 3 > options.ElectionTimeout)
        {
            settings.AddProblem(
                $"Coordinator:HeartbeatInterval is {options.HeartbeatInterval}, and Coordinator:ElectionTimeout is "
                + $"{options.ElectionTimeout}: the time-out has to be at least three times the interval.");
        }

        if (options.Peers % 2 == 0)
        {
            settings.AddProblem(
                $"Coordinator:Peers is {options.Peers}: allowed is an odd number, since an even one survives no more failures.");
        }
    }

    private static RestoreOptions? ReadRestore(SettingReader settings)
    {
        string? file = settings.OptionalText("Restore:File");
        string floor = settings.Read(
            "Restore:Floor", "0", text => IsFloor(text) ? text : null, $"a whole number from 0 to {RestoredState.StartMax}");
        bool hasHoldBack = settings.OptionalText("Restore:HoldBack") is not null;
        TimeSpan holdBack = settings.Duration(
            "Restore:HoldBack", ClusterRestore.LongestHold, TimeSpan.Zero, ClusterRestore.LongestHold);
        if (file is not null)
        {
            return new RestoreOptions(
                Path.GetFullPath(file), long.Parse(floor, CultureInfo.InvariantCulture), hasHoldBack ? holdBack : null);
        }
        if (hasHoldBack || floor != "0")
            settings.AddProblem("Coordinator:Restore:Floor and Coordinator:Restore:HoldBack are of use with Coordinator:Restore:File (--restore) alone.");
        return null;
    }

    private static bool IsFloor(string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long floor) && floor <= RestoredState.StartMax;

    private static HostKind ReadHost(SettingReader settings)
    {
        string text = settings.Read(
            "Host", nameof(HostKind.Embedded), text => Enum.GetNames<HostKind>().Contains(text) ? text : null,
            "Embedded, Cluster or Orleans");
        HostKind host = Enum.Parse<HostKind>(text);
#if !ORLEANS
        if (host == HostKind.Orleans)
        {
            settings.AddProblem(
                "Coordinator:Host is Orleans, and this program was built without it: build it with -p:Orleans=true, which "
                + "needs the Microsoft.Orleans packages, or set Coordinator:Host to Embedded or Cluster.");
        }
#endif
        return host;
    }

    private static string? ReadConnectionString(IConfiguration configuration, SettingReader settings)
    {
        string? text = configuration.GetConnectionString(CoordinatorOptions.SectionName);
        if (string.IsNullOrWhiteSpace(text))
        {
            return null;
        }

        try
        {
            return new NpgsqlConnectionStringBuilder(text).ConnectionString;
        }
        catch (ArgumentException e)
        {
            // The value is not repeated: it may hold a password.
            settings.AddProblem(
                $"ConnectionStrings:Coordinator is not a PostgreSQL connection string: {e.Message} Allowed is for instance "
                + "\"Host=localhost;Username=coordinator;Password=…;Database=coordinator\".");
            return null;
        }
    }
}
