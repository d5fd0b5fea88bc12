using System.Globalization;
using Coordinator.Grains.Backup;
using Coordinator.Replica.State;
using Coordinator.Silo.Hosting;

namespace Coordinator.Silo.Operator;

/// <summary>Verifies a snapshot file, or all in a folder, and prints what is in it.</summary>
internal static class SnapshotShow
{
    /// <exception cref="StartupException">It cannot be read, or is damaged.</exception>
    public static async Task RunAsync(string file)
    {
        string path = Path.GetFullPath(file);
        if (!Directory.Exists(path))
        {
            await WriteAsync(Console.Out, path, RestoreOptions.OpenFile(path));
            return;
        }
        foreach (string one in RestoreOptions.FilesIn(path))
            await WriteLineAsync(Console.Out, one, RestoreOptions.OpenFile(one));
    }

    /// <summary>One of several.</summary>
    public static Task WriteLineAsync(TextWriter output, string path, SnapshotFile file) => output.WriteLineAsync(
        $"{path}: whole, group {file.Header.Group} of cluster {file.Header.ClusterId}, revision {file.Header.Revision}, "
        + $"{StateContents.Of(file.State).Keys} keys, sha256 {Convert.ToHexStringLower(file.Sha256.Span)}");

    public static async Task WriteAsync(TextWriter output, string path, SnapshotFile file)
    {
        SnapshotFileHeader header = file.Header;
        StateContents contents = StateContents.Of(file.State);
        (string Name, string Value)[] lines =
        [
            ("cluster", header.ClusterId.ToString()),
            ("group", Text(header.Group)),
            ("index", Text(header.Index)),
            ("term", Text(header.Term)),
            ("revision", Text(header.Revision)),
            ("compacted", $"up to revision {contents.CompactedRevision}"),
            ("log time", string.Create(CultureInfo.InvariantCulture, $"{header.LogTimeUs / 1e6:0.000000} s")),
            ("feature level", Text(header.FeatureLevel)),
            ("keys", $"{contents.Keys}, of which {contents.BoundKeys} end with their sessions"),
            ("sessions", Text(contents.Sessions)),
            ("holdings", $"{contents.Holdings}, of which {contents.Leases} are leases; {contents.Waits} wait"),
            ("longest hold", $"{TimeSpan.FromMicroseconds(contents.LongestHoldUs)}"),
            ("state", $"{header.StateBytes} bytes"),
            ("sha256", Convert.ToHexStringLower(file.Sha256.Span)),
        ];
        await output.WriteLineAsync($"{path}: whole");
        foreach ((string name, string value) in lines)
            await output.WriteLineAsync($"  {name,-14} {value}");
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
