using System.Security.Cryptography;
using Coordinator.Silo.Hosting;

namespace Coordinator.Silo.Postgres;

/// <summary>
/// The random password of the private server's only role, in a file that the silo's user alone can read. Written before
/// the cluster that knows it, so that a cluster never exists without.
/// </summary>
internal static class ServerPassword
{
    public const string FileName = "postgres.password";

    public static string ReadOrCreate(string dataFolder, bool clusterExists)
    {
        string path = Path.Combine(dataFolder, FileName);
        if (File.Exists(path))
        {
            return File.ReadAllText(path).Trim();
        }

        if (clusterExists)
        {
            throw new StartupException(
                ExitCode.NoPostgres,
                $"The data folder holds a PostgreSQL cluster, but the file with its password, {path}, is gone. Put it back from a backup.");
        }

        string password = RandomNumberGenerator.GetHexString(40, lowercase: true);
        string half = path + ".new";
        File.Delete(half);
        FileStreamOptions ownerOnly = new() { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            ownerOnly.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using (StreamWriter writer = new(half, ownerOnly))
        {
            writer.Write(password);
            writer.Flush();
            ((FileStream)writer.BaseStream).Flush(flushToDisk: true);
        }

        File.Move(half, path);
        return password;
    }
}
