using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Coordinator.Silo.Hosting;

namespace Coordinator.Silo.Postgres;

/// <summary>
/// Finds the PostgreSQL programs of this machine: the option alone if it is set; otherwise PATH, then the folders where
/// installers put them, newest first. A data folder is opened only by the major version that made it.
/// </summary>
internal sealed partial class ProgramSearch(string? binFolder, string? pathVariable, IReadOnlyList<string> usualFolders)
{
    public const string OptionName = "Coordinator:Postgres:BinFolder";

    public static ProgramSearch OfThisMachine(string? binFolder) =>
        new(binFolder, Environment.GetEnvironmentVariable("PATH"), UsualFolders());

    /// <param name="dataMajor">The major version of the cluster to open; null if there is none yet.</param>
    public async Task<PostgresPrograms> FindAsync(int? dataMajor, CancellationToken cancellationToken)
    {
        List<PostgresPrograms> found = [];
        foreach (string folder in CandidateFolders().Distinct().Where(PostgresPrograms.AreIn))
        {
            if (await ReadVersionAsync(folder, cancellationToken) is { } version)
            {
                found.Add(new PostgresPrograms(folder, version));
            }
        }

        PostgresPrograms? suitable = found.Find(
            p => dataMajor is null ? p.Version.Major >= PostgresPrograms.MajorMin : p.Version.Major == dataMajor);
        return suitable ?? throw new StartupException(ExitCode.NoPostgres, Explain(found, dataMajor));
    }

    private IEnumerable<string> CandidateFolders()
    {
        if (binFolder is not null)
        {
            return [Path.GetFullPath(binFolder)];
        }

        IEnumerable<string> onPath = (pathVariable ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Select(folder => PostgresPrograms.PathOf(folder, "initdb"))
            .Where(File.Exists)
            .Select(FolderBehindLink);
        return onPath.Concat(usualFolders.SelectMany(ExpandNewestFirst));
    }

    // A link such as /usr/local/bin/initdb stands alone; its neighbours are where it points.
    private static string FolderBehindLink(string program) =>
        Path.GetDirectoryName(File.ResolveLinkTarget(program, returnFinalTarget: true)?.FullName ?? program)!;

    /// <summary>Expands the one * of a pattern by the folders that exist, highest number first.</summary>
    private static IEnumerable<string> ExpandNewestFirst(string pattern)
    {
        int star = pattern.IndexOf('*', StringComparison.Ordinal);
        if (star < 0)
        {
            return [pattern];
        }

        int from = pattern.LastIndexOf('/', star) + 1;
        int to = pattern.IndexOf('/', star);
        string parent = pattern[..from];
        return Directory.Exists(parent)
            ? Directory.EnumerateDirectories(parent, pattern[from..to])
                .OrderByDescending(folder => FirstNumber(Path.GetFileName(folder)))
                .Select(folder => folder + pattern[to..])
            : [];
    }

    private static double FirstNumber(string name) =>
        Number().Match(name) is { Success: true } match
            ? double.Parse(match.Value, CultureInfo.InvariantCulture)
            : -1;

    private static IReadOnlyList<string> UsualFolders()
    {
        if (OperatingSystem.IsWindows())
        {
            return [$"{Environment.GetFolderPath(Environment.SpecialFolder.ProgramFiles).Replace('\\', '/')}/PostgreSQL/*/bin"];
        }

        return OperatingSystem.IsMacOS()
            ? [
                "/opt/homebrew/opt/postgresql@*/bin", "/usr/local/opt/postgresql@*/bin",
                "/Applications/Postgres.app/Contents/Versions/*/bin", "/Library/PostgreSQL/*/bin",
            ]
            : [
                "/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/lib/postgresql*/bin", "/usr/libexec/postgresql*/bin",
                "/usr/local/pgsql/bin", "/opt/postgresql/*/bin", "/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",
            ];
    }

    private static async Task<Version?> ReadVersionAsync(string folder, CancellationToken cancellationToken)
    {
        ProcessStartInfo start = new(PostgresPrograms.PathOf(folder, "postgres"), ["--version"]);
        try
        {
            ProgramResult result = await ChildProgram.RunAsync(start, cancellationToken);
            return ParseVersion(result.Output);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null; // Not a program that this machine can run: as good as not there.
        }
    }

    /// <summary>"postgres (PostgreSQL) 15.18 (Debian …)" is 15.18, "postgres (PostgreSQL) 18beta1" is 18.0.</summary>
    internal static Version? ParseVersion(string output) =>
        VersionNumber().Match(output) is { Success: true } match
            ? new Version(
                int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture),
                match.Groups[2].Success ? int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture) : 0)
            : null;

    private string Explain(List<PostgresPrograms> found, int? dataMajor)
    {
        string wanted = dataMajor is null
            ? $"PostgreSQL (version {PostgresPrograms.MajorMin} or later)"
            : $"PostgreSQL {dataMajor}, which made the data folder's cluster,";
        string where = binFolder is not null
            ? $"in {Path.GetFullPath(binFolder)}, which {OptionName} names"
            : "on PATH or in the usual folders";
        string others = found.Count == 0
            ? ""
            : $" Found: {string.Join(", ", found.Select(p => $"{p.Version} in {p.Folder}"))}.";
        return $"""
            {wanted} was not found {where}.{others}
            Do one of these:
              - install it: {HowToInstall(dataMajor)}
              - set {OptionName} to the folder that holds initdb, pg_ctl and postgres
              - set ConnectionStrings__Coordinator to use a server that runs already, for instance
                "Host=localhost;Username=coordinator;Password=…;Database=coordinator"
            """;
    }

    private static string HowToInstall(int? major) =>
        OperatingSystem.IsWindows() ? $"winget install PostgreSQL.PostgreSQL.{major ?? 17}"
        : OperatingSystem.IsMacOS() ? $"brew install postgresql@{major ?? 17}"
        : $"apt install postgresql{(major is null ? "" : $"-{major}")}   (Debian, Ubuntu; elsewhere dnf install postgresql-server, apk add postgresql)";

    [GeneratedRegex(@"\d+(\.\d+)?")]
    private static partial Regex Number();

    [GeneratedRegex(@"PostgreSQL\) (\d+)(?:\.(\d+))?")]
    private static partial Regex VersionNumber();
}
