namespace Coordinator.Silo.Postgres;

/// <summary>One installed PostgreSQL: a folder that holds initdb, pg_ctl and postgres of one version.</summary>
internal sealed record PostgresPrograms(string Folder, Version Version)
{
    /// <summary>client_connection_check_interval, which rule 7 asks for, came with 14.</summary>
    public const int MajorMin = 14;

    private static readonly string Suffix = OperatingSystem.IsWindows() ? ".exe" : "";

    public string Initdb => PathOf(Folder, "initdb");

    public string PgCtl => PathOf(Folder, "pg_ctl");

    public static string PathOf(string folder, string program) => Path.Combine(folder, program + Suffix);

    public static bool AreIn(string folder) =>
        File.Exists(PathOf(folder, "initdb")) && File.Exists(PathOf(folder, "pg_ctl"))
        && File.Exists(PathOf(folder, "postgres"));
}
