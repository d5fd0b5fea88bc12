using System.Diagnostics;

namespace Coordinator.Tests.Postgres;

/// <summary>Finds and runs PostgreSQL's programs, as another user when this one is root, which they refuse.</summary>
internal static class PostgresPrograms
{
    private const string User = "postgres";

    private static readonly string[] UsualFolders =
        ["/usr/lib/postgresql", "/usr/local", "/opt/homebrew/opt", "/usr/pgsql"];

    public static string Folder { get; } = FindFolder();

    private static bool IsRoot => Environment.IsPrivilegedProcess;

    public static ProcessStartInfo StartInfo(string program, params string[] arguments)
    {
        // setpriv executes the program in its own place, so that the process id is the program's.
        string[] line = IsRoot
            ? ["setpriv", $"--reuid={User}", $"--regid={User}", "--init-groups", "--", program, .. arguments]
            : [program, .. arguments];
        return new ProcessStartInfo(line[0], line[1..])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = "/",
        };
    }

    public static async Task RunAsync(string program, params string[] arguments)
    {
        using Process process = Process.Start(StartInfo(program, arguments))!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        string error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{program} ended with {process.ExitCode}: {await output}{error}");
        }
    }

    /// <summary>Makes a new folder that the programs' user owns and can enter.</summary>
    public static async Task<string> CreateFolderAsync(string parent, string name)
    {
        string folder = Directory.CreateDirectory(Path.Combine(parent, name)).FullName;
        if (IsRoot && !OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(parent, (UnixFileMode)0b111_101_101);
            using Process chown = Process.Start("chown", [$"{User}:", folder]);
            await chown.WaitForExitAsync();
        }

        await RunAsync("test", "-w", folder);
        return folder;
    }

    public static void Signal(int processId, string signal)
    {
        using Process kill = Process.Start("kill", [$"-{signal}", $"{processId}"]);
        kill.WaitForExit();
    }

    private static string FindFolder()
    {
        IEnumerable<string> path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        IEnumerable<string> usual =
            UsualFolders
                .Where(Directory.Exists)
                .SelectMany(root => Directory.GetDirectories(root).Append(root))
                .OrderDescending(StringComparer.Ordinal)
                .Select(folder => Path.Combine(folder, "bin"));
        return path.Concat(usual).FirstOrDefault(folder =>
                File.Exists(Path.Combine(folder, "initdb")) && File.Exists(Path.Combine(folder, "postgres")))
            ?? throw new InvalidOperationException(
                "These tests need PostgreSQL's programs initdb and postgres, in PATH or a usual folder.");
    }
}
