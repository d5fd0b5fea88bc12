using Coordinator.Silo.Hosting;

namespace Coordinator.Tests.Silo;

public sealed class FolderLockTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lock-test-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_held_folder_is_refused_with_its_name_and_its_holder()
    {
        using FolderLock held = FolderLock.Take(_folder);
        StartupException refusal = Assert.Throws<StartupException>(() => FolderLock.Take(_folder));
        Assert.Equal(ExitCode.DataFolderInUse, refusal.ExitCode);
        Assert.Contains(_folder, refusal.Message, StringComparison.Ordinal);
        Assert.Contains($"pid {Environment.ProcessId}", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_let_go_can_be_taken_again()
    {
        FolderLock.Take(_folder).Dispose();
        FolderLock.Take(_folder).Dispose();
    }

    [Fact]
    public void A_data_folder_under_a_file_is_refused_by_name()
    {
        string file = Path.Combine(_folder, "file");
        File.WriteAllText(file, "");
        StartupException refusal = Assert.Throws<StartupException>(() => DataFolder.Open(Path.Combine(file, "data")));
        Assert.Contains(file, refusal.Message, StringComparison.Ordinal);
    }
}
