using System.Globalization;

namespace Coordinator.Silo.Postgres;

/// <summary>
/// What postmaster.pid says: the server writes it line by line as it starts and removes it as its last act. It may be
/// left over from a process that is gone; <see cref="Postmaster"/> tells.
/// </summary>
internal sealed record PostmasterFile(int Pid, DateTimeOffset StartedAt, int Port, string SocketFolder, string Status)
{
    public const string Name = "postmaster.pid";

    // No system gives out a process id this high.
    private const string NobodysPid = "99999999";

    public bool IsReady => Status == "ready";

    /// <summary>Null while there is none, or none that is complete down to the socket's folder.</summary>
    public static PostmasterFile? Read(string clusterFolder)
    {
        try
        {
            return Parse(File.ReadAllText(Path.Combine(clusterFolder, Name)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    internal static PostmasterFile? Parse(string text)
    {
        // Pid, data folder, start time in Unix seconds, port, socket folder, address, shared memory, status.
        string[] lines = text.Split('\n');
        return lines.Length > 5
            && int.TryParse(lines[0], NumberStyles.Integer, CultureInfo.InvariantCulture, out int pid)
            && long.TryParse(lines[2], NumberStyles.Integer, CultureInfo.InvariantCulture, out long startedAt)
            && int.TryParse(lines[3], NumberStyles.Integer, CultureInfo.InvariantCulture, out int port)
            ? new PostmasterFile(
                pid, DateTimeOffset.FromUnixTimeSeconds(startedAt), port, lines[4].Trim(),
                lines.Length > 7 ? lines[7].Trim() : "")
            : null;
    }

    /// <summary>
    /// Makes the server take a left-over file whose pid now belongs to a stranger for what it is. Its other lines stay:
    /// by them the server finds out whether backends of the old postmaster still hold the shared memory, and refuses;
    /// without the file two servers could write the same data.
    /// </summary>
    public static void DisownStranger(string clusterFolder)
    {
        string path = Path.Combine(clusterFolder, Name);
        if (new FileInfo(path).LinkTarget is not null)
        {
            return; // Not the server's doing; as root, a write would go to wherever the link leads.
        }

        string text = File.ReadAllText(path);
        File.WriteAllText(path, NobodysPid + text[text.IndexOf('\n', StringComparison.Ordinal)..]);
    }
}
