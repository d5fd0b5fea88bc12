using Coordinator.Silo.Hosting;
using Coordinator.Silo.Postgres;

namespace Coordinator.Tests.Silo;

/// <summary>The search, among stand-ins that only know their version.</summary>
public sealed class ProgramSearchTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("search-test-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public async Task The_newest_of_the_usual_folders_is_taken_by_number_not_by_spelling()
    {
        Install("usual/9.6/bin", "9.6.24");
        Install("usual/15/bin", "15.4");
        string newest = Install("usual/101/bin", "101.1");
        Assert.Equal(newest, (await FindAsync()).Folder);
    }

    [Fact]
    public async Task Path_comes_before_the_usual_folders()
    {
        Install("usual/17/bin", "17.1");
        string onPath = Install("path", "15.4");
        Assert.Equal(onPath, (await FindAsync(path: onPath)).Folder);
    }

    [Fact]
    public async Task A_link_on_path_leads_to_its_neighbours()
    {
        string real = Install("real", "15.4");
        string links = Directory.CreateDirectory(Path.Combine(_root, "links")).FullName;
        File.CreateSymbolicLink(Path.Combine(links, "initdb"), Path.Combine(real, "initdb"));
        Assert.Equal(real, (await FindAsync(path: links)).Folder);
    }

    [Fact]
    public async Task An_old_data_folder_gets_the_version_that_made_it()
    {
        string old = Install("usual/14/bin", "14.9");
        Install("usual/17/bin", "17.1");
        Assert.Equal(old, (await FindAsync(dataMajor: 14)).Folder);
    }

    [Fact]
    public async Task An_old_data_folder_without_its_version_is_refused_by_both_numbers()
    {
        Install("usual/17/bin", "17.1");
        StartupException refusal = await Assert.ThrowsAsync<StartupException>(() => FindAsync(dataMajor: 14));
        Assert.Contains("PostgreSQL 14", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("17.1", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_option_is_the_only_place_looked_at()
    {
        Install("usual/17/bin", "17.1");
        string chosen = Install("chosen", "15.4");
        Assert.Equal(chosen, (await FindAsync(option: chosen)).Folder);
        await Assert.ThrowsAsync<StartupException>(() => FindAsync(option: Path.Combine(_root, "nothing")));
    }

    [Fact]
    public async Task What_is_too_old_or_incomplete_is_not_taken()
    {
        Install("usual/13/bin", "13.9");
        File.Delete(Path.Combine(Install("usual/16/bin", "16.1"), "pg_ctl"));
        StartupException refusal = await Assert.ThrowsAsync<StartupException>(() => FindAsync());
        Assert.Contains("13.9", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", "15.18")]
    [InlineData("postgres (PostgreSQL) 18beta1", "18.0")]
    public void A_version_is_read(string output, string version) =>
        Assert.Equal(version, ProgramSearch.ParseVersion(output)?.ToString());

    private Task<PostgresPrograms> FindAsync(string? option = null, string? path = null, int? dataMajor = null) =>
        new ProgramSearch(option, path, [$"{_root}/usual/*/bin"]).FindAsync(dataMajor, CancellationToken.None);

    private string Install(string folder, string version)
    {
        string full = Directory.CreateDirectory(Path.Combine(_root, folder)).FullName;
        foreach (string name in new[] { "initdb", "pg_ctl", "postgres" })
        {
            string program = Path.Combine(full, name);
            File.WriteAllText(program, $"#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n");
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserExecute);
            }
        }

        return full;
    }
}
