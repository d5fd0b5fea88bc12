using System.Diagnostics;
using System.Text;
using Coordinator.Silo.Hosting;

namespace Coordinator.Silo.Postgres;

/// <summary>
/// Makes the cluster with initdb. It appears under its name only when it is complete, so that a start that is killed
/// half-way leaves nothing that looks like one.
/// </summary>
internal static class ClusterMaker
{
    public static async Task MakeAsync(
        ClusterHome home, PostgresPrograms programs, ServerUser user, string password, CancellationToken cancellationToken)
    {
        home.RemoveHalfMade();
        string name = ClusterHome.NameForHalfMade();
        string passwordName = name + ".password";
        string passwordPath = Path.Combine(home.Folder, passwordName);
        try
        {
            // Only PostgreSQL's user can enter the folder above, and it has to read the file.
            await using (FileStream file = new(passwordPath, FileMode.CreateNew, FileAccess.Write))
            {
                await file.WriteAsync(Encoding.ASCII.GetBytes(password + "\n"), cancellationToken);
            }

            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(
                    passwordPath,
                    UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
            }

            ProcessStartInfo initdb = user.Command(
                programs.Initdb,
                [
                    "-D", name, $"--username={ServerAddress.Role}", $"--pwfile={passwordName}", "--auth=scram-sha-256",
                    "--encoding=UTF8", "--no-locale", "--data-checksums",
                ],
                home.Folder);
            ProgramResult result = await ChildProgram.RunAsync(initdb, cancellationToken);
            if (result.ExitCode != 0)
            {
                throw new StartupException(
                    ExitCode.NoPostgres, $"initdb could not make a cluster in {home.Folder}:\n{result.Output}");
            }

            home.Complete(name);
        }
        finally
        {
            home.RemoveHalfMade();
        }
    }
}
