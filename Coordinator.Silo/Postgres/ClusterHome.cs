using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Coordinator.Silo.Hosting;

namespace Coordinator.Silo.Postgres;

/// <summary>
/// The folder that PostgreSQL's user owns: the cluster, complete or not there at all, and the logs. It is
/// data/postgres, or, if that user cannot enter the folders above, one under /var/lib/coordinator that a note in the data
/// folder names.
/// </summary>
internal sealed class ClusterHome : IDisposable
{
    public const string LogFolderName = "log";
    public const string ClusterName = "cluster";
    public const string StartLogName = LogFolderName + "/start.log";
    private const string HalfMade = "new-";
    private const string FolderName = "postgres";
    private const string NoteName = "postgres.location";
    private const string OwnerName = "owner";
    private const string ElsewhereParent = "/var/lib/coordinator";

    private readonly FolderLock? _lock;

    private ClusterHome(string parent, FolderLock? @lock)
    {
        Folder = Path.Combine(parent, FolderName);
        _lock = @lock;
    }

    public string Folder { get; }

    public string Cluster => Path.Combine(Folder, ClusterName);

    public string LogFolder => Path.Combine(Folder, LogFolderName);

    /// <summary>What the server said before it opened its log.</summary>
    public string StartLog => Path.Combine(Folder, StartLogName);

    public bool HasCluster => File.Exists(Path.Combine(Cluster, "PG_VERSION"));

    /// <summary>The major version that made the cluster; null if there is none yet.</summary>
    public int? DataMajor => HasCluster
        ? int.Parse(File.ReadAllText(Path.Combine(Cluster, "PG_VERSION")).Trim(), CultureInfo.InvariantCulture)
        : null;

    /// <summary>Whether there is a cluster of this data folder, here or where its note says. Makes nothing.</summary>
    public static bool IsIn(string dataFolder)
    {
        string note = Path.Combine(dataFolder, NoteName);
        string parent = File.Exists(note) ? File.ReadAllText(note).Trim() : dataFolder;
        return new ClusterHome(parent, null).HasCluster;
    }

    public static async Task<ClusterHome> OpenAsync(
        string dataFolder, ServerUser user, ILogger logger, CancellationToken cancellationToken)
    {
        string note = Path.Combine(dataFolder, NoteName);
        if (File.Exists(note))
        {
            return OpenElsewhere(File.ReadAllText(note).Trim(), note, dataFolder);
        }

        ClusterHome wanted = new(dataFolder, null);
        bool isNew = !Directory.Exists(wanted.Folder);
        if (isNew)
        {
            await user.MakeFolderAsync(wanted.Folder, cancellationToken);
        }

        if (await user.CanUseAsync(wanted.Folder, cancellationToken))
        {
            return wanted;
        }

        string userName = user.Name ?? Environment.UserName;
        if (!isNew && Directory.EnumerateFileSystemEntries(wanted.Folder).Any())
        {
            throw new StartupException(
                ExitCode.NoPostgres,
                $"{wanted.Folder} holds a PostgreSQL cluster that {userName} cannot use. Start the silo as the user that it "
                + "was started as before, or give that user the right to enter the folders above.");
        }

        Directory.Delete(wanted.Folder);
        ClusterHome elsewhere = await MakeElsewhereAsync(dataFolder, note, user, logger, cancellationToken);
        logger.ClusterElsewhere(userName, wanted.Folder, elsewhere.Folder, note);
        return elsewhere;
    }

    public void Dispose() => _lock?.Dispose();

    /// <summary>A new cluster is made under this name, and gets its own when it is complete.</summary>
    public static string NameForHalfMade() => HalfMade + Path.GetRandomFileName();

    public void Complete(string halfMadeName) => Directory.Move(Path.Combine(Folder, halfMadeName), Cluster);

    /// <summary>What an interrupted initdb left.</summary>
    public void RemoveHalfMade()
    {
        foreach (string left in Directory.EnumerateFileSystemEntries(Folder, HalfMade + "*"))
        {
            try
            {
                if (Directory.Exists(left))
                {
                    Directory.Delete(left, recursive: true);
                }
                else
                {
                    File.Delete(left);
                }
            }
            catch (IOException)
            {
                // An orphaned initdb still writes there; the next start finds it at rest.
            }
        }
    }

    private static ClusterHome OpenElsewhere(string parent, string note, string dataFolder) =>
        File.Exists(Path.Combine(parent, OwnerName))
            ? new ClusterHome(parent, FolderLock.Take(parent))
            : throw new StartupException(
                ExitCode.NoPostgres,
                $"{note} says that the PostgreSQL cluster of {dataFolder} is in {parent}, but it is not there. Put it back, "
                + "or delete the data folder to begin with an empty one.");

    private static async Task<ClusterHome> MakeElsewhereAsync(
        string dataFolder, string note, ServerUser user, ILogger logger, CancellationToken cancellationToken)
    {
        string parent = $"{ElsewhereParent}/{ShortHash(dataFolder)}";
        PassableFolder.Create(ElsewhereParent);
        if (Directory.Exists(parent))
        {
            SetAside(parent, logger);
        }

        PassableFolder.Create(parent);
        ClusterHome home = new(parent, FolderLock.Take(parent));
        await user.MakeFolderAsync(home.Folder, cancellationToken);
        await File.WriteAllTextAsync(Path.Combine(parent, OwnerName), dataFolder + "\n", cancellationToken);

        // The note comes last: from here on the folder is looked for.
        await File.WriteAllTextAsync(note, parent + "\n", cancellationToken);
        return home;
    }

    // The data folder of the same path was deleted and made anew. Its old cluster might be missed: it is kept.
    private static void SetAside(string parent, ILogger logger)
    {
        using (ClusterHome old = new(parent, FolderLock.Take(parent)))
        {
            using Postmaster? leftOver = Postmaster.Find(old.Cluster);
            leftOver?.Kill();
        }

        string aside = $"{parent}.aside-{Path.GetRandomFileName()}";
        Directory.Move(parent, aside);
        logger.ClusterSetAside(parent, aside);
    }

    private static string ShortHash(string text) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..16];
}
