using Coordinator.Grains.Backup;
using Coordinator.Silo.Hosting;

namespace Coordinator.Silo.Operator;

/// <summary>
/// Fetches a group's snapshot from a silo, or those of all groups. Invariant: a file or folder of the wanted name is whole,
/// verified and durable, or isn't there.
/// </summary>
internal static class SnapshotSave
{
    /// <param name="words">A file or folder, and before or after it --all, --url and --group, the last two with their values.</param>
    /// <exception cref="StartupException">The words are not understood.</exception>
    public static Task RunAsync(IReadOnlyList<string> words, CancellationToken stopping)
    {
        List<string> paths = [];
        string url = OptionsReader.DefaultListen;
        int? group = null;
        bool isAll = false;
        for (int i = 0; i < words.Count; i++)
        {
            if (words[i] == "--url" && i + 1 < words.Count)
                url = words[++i];
            else if (words[i] == "--group" && i + 1 < words.Count)
                group = OperatorCommands.GroupOf(words[++i]);
            else if (words[i] == "--all")
                isAll = true;
            else
                paths.Add(words[i]);
        }
        if (paths is not [var path] || path.StartsWith("--", StringComparison.Ordinal) || (isAll && group is not null))
        {
            throw new StartupException(
                ExitCode.BadOptions, $"\"snapshot save {string.Join(' ', words)}\" is not understood. There are:\n\n{OperatorCommands.Commands}");
        }
        return isAll ? SaveAllAsync(path, url, stopping) : SaveAsync(path, url, group ?? 0, stopping);
    }

    /// <exception cref="StartupException">The file is there already, or the silo has not sent it.</exception>
    private static async Task SaveAsync(string file, string url, int group, CancellationToken stopping)
    {
        using SnapshotSource source = new(url);
        await using NewFile target = NewFile.Create(file);
        await source.FetchAsync(group, target.Stream, waits: false, stopping);
        SnapshotFile snapshot = target.Verify();
        target.Keep();
        await SnapshotShow.WriteAsync(Console.Out, target.Path, snapshot);
    }

    /// <exception cref="StartupException">The folder is there already, or the silo has not sent all.</exception>
    private static async Task SaveAllAsync(string folder, string url, CancellationToken stopping)
    {
        using SnapshotSource source = new(url);
        using NewFolder target = NewFolder.Create(folder);
        int groups = await source.CountGroupsAsync(stopping);
        // The silo sends one at a time, and may not have noticed yet that the one before has arrived.
        for (int group = 0; group < groups; group++)
            await target.AddAsync(group, stream => source.FetchAsync(group, stream, waits: true, stopping));
        target.Keep();
        await SnapshotShow.RunAsync(target.Path);
    }
}
