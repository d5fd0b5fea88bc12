using Npgsql;

namespace Coordinator.Tests.Storage;

/// <summary>Where a write statement can be made to wait inside the server.</summary>
public enum WriteStep
{
    /// <summary>Its snapshot is taken, the peer's row not locked yet.</summary>
    BeforeRowLock,

    /// <summary>The row is locked and updated, the log not written yet.</summary>
    AfterRowLock,

    /// <summary>All is done but the commit; the answer is on its way to the client.</summary>
    AtCommit,

    /// <summary>The same, for a transaction that wrote a snapshot chunk.</summary>
    AtChunkCommit,
}

/// <summary>
/// Makes writes with entries or chunks wait at a step, by triggers that want a lock that the test holds.
/// </summary>
internal sealed class PausedWrites(NpgsqlConnection admin)
{
    public const string OneIsPaused =
        "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 77 AND NOT granted)";

    public static async Task<PausedWrites> AtAsync(NpgsqlConnection admin, WriteStep step)
    {
        var paused = new PausedWrites(admin);
        await paused.ExecuteAsync(
            """
            CREATE FUNCTION public.wait_for_test() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF TG_TABLE_NAME <> 'peer' OR current_query() LIKE '%wanted AS%' THEN
                    PERFORM pg_advisory_xact_lock_shared(77);
                END IF;
                RETURN NEW;
            END $$;
            """
            + step switch
            {
                WriteStep.BeforeRowLock =>
                    "CREATE TRIGGER pause BEFORE UPDATE ON coordinator.peer FOR EACH STATEMENT EXECUTE FUNCTION public.wait_for_test()",
                WriteStep.AfterRowLock =>
                    "CREATE TRIGGER pause BEFORE INSERT ON coordinator.log FOR EACH ROW EXECUTE FUNCTION public.wait_for_test()",
                WriteStep.AtCommit =>
                    "CREATE CONSTRAINT TRIGGER pause AFTER INSERT ON coordinator.log DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.wait_for_test()",
                _ =>
                    "CREATE CONSTRAINT TRIGGER pause AFTER INSERT ON coordinator.snapshot_chunk DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.wait_for_test()",
            });
        await paused.ExecuteAsync("SELECT pg_advisory_lock(77)");
        return paused;
    }

    public Task ReleaseAsync() => ExecuteAsync("SELECT pg_advisory_unlock(77)");

    private async Task ExecuteAsync(string sql)
    {
        await using var command = new NpgsqlCommand(sql, admin);
        await command.ExecuteNonQueryAsync();
    }
}
