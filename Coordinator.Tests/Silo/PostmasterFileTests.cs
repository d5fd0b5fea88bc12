using Coordinator.Silo.Postgres;

namespace Coordinator.Tests.Silo;

public sealed class PostmasterFileTests
{
    private const string Complete = "6636\n/data/cluster\n1795221499\n5432\n/tmp/s\n\n 11657448         4\nready   \n";

    [Fact]
    public void A_complete_file_is_read()
    {
        PostmasterFile file = PostmasterFile.Parse(Complete)!;
        Assert.Equal(
            new PostmasterFile(6636, DateTimeOffset.FromUnixTimeSeconds(1795221499), 5432, "/tmp/s", "ready"), file);
        Assert.True(file.IsReady);
    }

    [Fact]
    public void Cut_off_anywhere_it_is_never_ready_and_never_misread()
    {
        for (int length = 0; length < Complete.Length - "   \n".Length; length++)
        {
            PostmasterFile? file = PostmasterFile.Parse(Complete[..length]);
            Assert.False(file?.IsReady ?? false);
            Assert.True(file is null or { Pid: 6636, Port: 5432, SocketFolder: "/tmp/s" });
        }
    }

    [Fact]
    public void The_file_of_a_stranger_keeps_all_but_its_pid()
    {
        string folder = Directory.CreateTempSubdirectory("pid-test-").FullName;
        try
        {
            File.WriteAllText(Path.Combine(folder, PostmasterFile.Name), Complete);
            PostmasterFile.DisownStranger(folder);
            string[] lines = File.ReadAllLines(Path.Combine(folder, PostmasterFile.Name));
            Assert.False(Postmaster.IsTaken(int.Parse(lines[0], System.Globalization.CultureInfo.InvariantCulture)));
            Assert.Equal(Complete.Split('\n')[1..^1], lines[1..]);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
