using Coordinator.Grains.Backup;

namespace Coordinator.Silo.Hosting;

/// <summary>What the group of an empty database is to be made of.</summary>
/// <param name="File">Absolute.</param>
/// <param name="Floor">Log index and revision begin here at the lowest.</param>
/// <param name="HoldBack">Null: as long as any holder may live.</param>
internal sealed record RestoreOptions(string File, long Floor, TimeSpan? HoldBack)
{
    /// <exception cref="StartupException">The file cannot be read, is damaged, or does not allow what was asked.</exception>
    public GroupRestore Open()
    {
        GroupRestore restore = new() { File = OpenFile(File), Floor = Floor, HoldBack = HoldBack };
        return restore.Problem() is { } problem
            ? throw new StartupException(
                ExitCode.BadSnapshot, $"{File} cannot be restored so: {problem}. Correct --floor or --hold-back, or leave them out.")
            : restore;
    }

    /// <exception cref="StartupException">The file cannot be read, or is damaged.</exception>
    public static SnapshotFile OpenFile(string path)
    {
        try
        {
            return SnapshotFile.Parse(System.IO.File.ReadAllBytes(path));
        }
        catch (InvalidDataException e)
        {
            throw new StartupException(ExitCode.BadSnapshot, $"{path} is no snapshot that can be used: {e.Message}.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartupException(ExitCode.Failed, $"{path} cannot be read: {e.Message}", e);
        }
    }
}
