using System.Diagnostics;
using Coordinator.Silo.Hosting;

namespace Coordinator.Silo.Postgres;

/// <summary>
/// Whom PostgreSQL's programs run as: the silo's own user, or, since they refuse root, another one when the silo is
/// root. setpriv execs: a program started through it keeps the process id.
/// </summary>
internal sealed class ServerUser
{
    public const string OptionName = "Coordinator:Postgres:RunAs";
    private readonly string? _name;
    private readonly string _groupId;

    private ServerUser(string? name, string groupId)
    {
        _name = name;
        _groupId = groupId;
    }

    /// <summary>Null: the silo's own user.</summary>
    public string? Name => _name;

    public static async Task<ServerUser> ChooseAsync(string runAs, CancellationToken cancellationToken)
    {
        if (OperatingSystem.IsWindows() || !Environment.IsPrivilegedProcess)
        {
            return new ServerUser(null, "");
        }

        if (!OperatingSystem.IsLinux())
        {
            throw new StartupException(
                ExitCode.NoPostgres, "PostgreSQL refuses to run as root: start the silo as an ordinary user.");
        }

        ProgramResult group = await ChildProgram.RunAsync(new ProcessStartInfo("id", ["-g", runAs]), cancellationToken);
        if (group.ExitCode != 0)
        {
            throw new StartupException(
                ExitCode.NoPostgres,
                $"The silo runs as root, which PostgreSQL refuses, and the user {runAs} to run it as does not exist. "
                + $"Create it, set {OptionName} to another user, or start the silo as an ordinary user.");
        }

        ServerUser user = new(runAs, group.Output);
        await user.CheckSwitchAsync(cancellationToken);
        return user;
    }

    /// <summary>A command as this user. PostgreSQL's own environment variables are kept from it, and messages are English.</summary>
    public ProcessStartInfo Command(string program, IEnumerable<string> arguments, string workingFolder)
    {
        ProcessStartInfo start = _name is null
            ? new ProcessStartInfo(program, arguments)
            : new ProcessStartInfo(
                "setpriv",
                [$"--reuid={_name}", $"--regid={_groupId}", "--init-groups", "--inh-caps=-all", "--no-new-privs", program, .. arguments]);
        start.WorkingDirectory = workingFolder;
        foreach (string key in start.Environment.Keys.Where(k => k.StartsWith("PG", StringComparison.Ordinal)).ToList())
        {
            start.Environment.Remove(key);
        }

        start.Environment["LC_ALL"] = "C";
        if (OperatingSystem.IsWindows())
        {
            start.CreateNewProcessGroup = true; // Ctrl-C is for the silo; it stops its PostgreSQL in order.
        }

        return start;
    }

    /// <summary>A folder that only this user (and root) can enter.</summary>
    public async Task MakeFolderAsync(string folder, CancellationToken cancellationToken)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
            return;
        }

        Directory.CreateDirectory(
            folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        if (_name is not null)
        {
            ProgramResult result = await ChildProgram.RunAsync(
                new ProcessStartInfo("chown", ["--no-dereference", $"{_name}:{_groupId}", folder]), cancellationToken);
            if (result.ExitCode != 0)
            {
                throw new StartupException(ExitCode.NoPostgres, $"{folder} cannot be given to {_name}: {result.Output}");
            }
        }
    }

    /// <summary>Whether this user can enter the folder and write in it, whatever stands above it.</summary>
    public async Task<bool> CanUseAsync(string folder, CancellationToken cancellationToken)
    {
        if (OperatingSystem.IsWindows())
        {
            return true;
        }

        ProcessStartInfo start = Command("test", ["-x", folder, "-a", "-w", folder], "/");
        return (await ChildProgram.RunAsync(start, cancellationToken)).ExitCode == 0;
    }

    private async Task CheckSwitchAsync(CancellationToken cancellationToken)
    {
        string problem;
        try
        {
            ProgramResult result = await ChildProgram.RunAsync(Command("true", [], "/"), cancellationToken);
            if (result.ExitCode == 0)
            {
                return;
            }

            problem = result.Output;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            problem = "the program setpriv (package util-linux) was not found";
        }

        throw new StartupException(
            ExitCode.NoPostgres,
            $"The silo runs as root, which PostgreSQL refuses, and cannot run it as {_name}: {problem}. "
            + "Start the silo as an ordinary user, or install what is missing.");
    }
}
