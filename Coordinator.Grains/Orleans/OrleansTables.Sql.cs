namespace Coordinator.Grains.Orleans;

/// <summary>The tables, and the texts of the providers' queries. Names of keys, parameters and columns are the providers'.</summary>
public static partial class OrleansTables
{
    private const string Tables =
        """
        CREATE TABLE IF NOT EXISTS OrleansQuery (QueryKey text PRIMARY KEY, QueryText text NOT NULL);

        CREATE TABLE IF NOT EXISTS membership (deployment text PRIMARY KEY, version integer NOT NULL);

        CREATE TABLE IF NOT EXISTS member (
            deployment  text NOT NULL REFERENCES membership,
            address     text NOT NULL,
            port        integer NOT NULL,
            generation  integer NOT NULL,
            name        text NOT NULL,
            host        text NOT NULL,
            status      integer NOT NULL,
            proxy_port  integer NOT NULL,
            suspicions  text,
            started_at  timestamptz NOT NULL,
            alive_at    timestamptz NOT NULL,
            PRIMARY KEY (deployment, address, port, generation)
        );

        CREATE TABLE IF NOT EXISTS activation (
            cluster     text NOT NULL,
            provider    text NOT NULL,
            grain       text NOT NULL,
            silo        text NOT NULL,
            activation  text NOT NULL,
            PRIMARY KEY (cluster, provider, grain)
        );

        CREATE TABLE IF NOT EXISTS reminder (
            service     text NOT NULL,
            grain       text NOT NULL,
            name        text NOT NULL,
            hash        integer NOT NULL,
            started_at  timestamptz NOT NULL,
            period_ms   bigint NOT NULL,
            version     integer NOT NULL,
            PRIMARY KEY (service, grain, name)
        );

        CREATE TABLE IF NOT EXISTS grain_state (
            service     text NOT NULL,
            grain_type  text NOT NULL,
            key0        bigint NOT NULL,
            key1        bigint NOT NULL,
            key_text    text NOT NULL,
            payload     bytea,
            version     integer NOT NULL,
            PRIMARY KEY (service, grain_type, key0, key1, key_text)
        );

        CREATE TABLE IF NOT EXISTS peer_witness (
            group_id          integer NOT NULL,
            peer_id           bigint NOT NULL,
            storage_id        uuid NOT NULL,
            epoch             bigint NOT NULL,
            write_seq         bigint NOT NULL,
            system_id         bigint NOT NULL,
            timeline          bigint NOT NULL,
            lsn               bigint NOT NULL,
            checksum          integer NOT NULL,
            verdict           text NOT NULL DEFAULT '',
            verdict_checksum  integer NOT NULL,
            PRIMARY KEY (group_id, peer_id, storage_id)
        ) WITH (fillfactor = 50);
        """;

    private const string MemberColumns =
        """
        m.deployment AS DeploymentId, s.address AS Address, s.port AS Port, s.generation AS Generation, s.name AS SiloName,
        s.host AS HostName, s.status AS Status, s.proxy_port AS ProxyPort, s.suspicions AS SuspectTimes,
        s.started_at AS StartTime, s.alive_at AS IAmAliveTime, m.version AS Version
        """;

    private const string OneMember =
        "deployment = @DeploymentId AND address = @Address AND port = @Port AND generation = @Generation";

    private const string ReminderColumns =
        "SELECT grain AS GrainId, name AS ReminderName, started_at AS StartTime, period_ms AS Period, version AS Version FROM reminder";

    private const string OneState =
        """
        service = @ServiceId AND grain_type = @GrainTypeString AND key0 = @GrainIdN0 AND key1 = @GrainIdN1
        AND key_text = coalesce(CAST(@GrainIdExtensionString AS text), '')
        """;

    // A change of membership counts only together with the next version: whoever has read an older one changes nothing.
    private static readonly (string Key, string Text)[] Queries =
    [
        ("MembershipReadAllKey",
            $"SELECT {MemberColumns} FROM membership m LEFT JOIN member s USING (deployment) WHERE m.deployment = @DeploymentId"),
        ("MembershipReadRowKey",
            $"""
            SELECT {MemberColumns} FROM membership m
            LEFT JOIN member s ON s.deployment = m.deployment AND s.address = @Address AND s.port = @Port AND s.generation = @Generation
            WHERE m.deployment = @DeploymentId
            """),
        ("InsertMembershipVersionKey",
            """
            WITH made AS (
                INSERT INTO membership (deployment, version) VALUES (@DeploymentId, 0) ON CONFLICT DO NOTHING RETURNING 1)
            SELECT count(*)::integer FROM made
            """),
        ("InsertMembershipKey",
            $"""
            WITH next AS (
                UPDATE membership SET version = version + 1
                WHERE deployment = @DeploymentId AND version = @Version AND NOT EXISTS (SELECT FROM member WHERE {OneMember})
                RETURNING deployment),
            made AS (
                INSERT INTO member (deployment, address, port, generation, name, host, status, proxy_port, started_at, alive_at)
                SELECT deployment, @Address, @Port, @Generation, @SiloName, @HostName, @Status, @ProxyPort, @StartTime, @IAmAliveTime
                FROM next RETURNING 1)
            SELECT count(*)::integer FROM made
            """),
        ("UpdateMembershipKey",
            $"""
            WITH next AS (
                UPDATE membership SET version = version + 1
                WHERE deployment = @DeploymentId AND version = @Version AND EXISTS (SELECT FROM member WHERE {OneMember})
                RETURNING 1),
            changed AS (
                UPDATE member SET status = @Status, suspicions = CAST(@SuspectTimes AS text), alive_at = @IAmAliveTime
                WHERE {OneMember} AND EXISTS (SELECT FROM next) RETURNING 1)
            SELECT count(*)::integer FROM changed
            """),
        ("UpdateIAmAlivetimeKey", $"UPDATE member SET alive_at = @IAmAliveTime WHERE {OneMember}"),
        ("DeleteMembershipTableEntriesKey",
            """
            WITH gone AS (DELETE FROM member WHERE deployment = @DeploymentId)
            DELETE FROM membership WHERE deployment = @DeploymentId
            """),
        // 3: the silo is active.
        ("CleanupDefunctSiloEntriesKey",
            "DELETE FROM member WHERE deployment = @DeploymentId AND alive_at < @IAmAliveTime AND status <> 3"),
        ("GatewaysQueryKey",
            """
            SELECT address AS Address, proxy_port AS ProxyPort, generation AS Generation FROM member
            WHERE deployment = @DeploymentId AND status = @Status AND proxy_port > 0
            """),

        // Whoever is first stays; whoever comes second is told who that is.
        ("RegisterGrainActivationKey",
            """
            INSERT INTO activation AS a (cluster, provider, grain, silo, activation)
            VALUES (@ClusterId, @ProviderId, @GrainId, @SiloAddress, @ActivationId)
            ON CONFLICT (cluster, provider, grain) DO UPDATE SET grain = a.grain
            RETURNING cluster AS ClusterId, provider AS ProviderId, grain AS GrainId, silo AS SiloAddress, activation AS ActivationId
            """),
        ("UnregisterGrainActivationKey",
            """
            WITH gone AS (
                DELETE FROM activation WHERE cluster = @ClusterId AND provider = @ProviderId AND grain = @GrainId
                    AND activation = @ActivationId RETURNING 1)
            SELECT count(*)::integer FROM gone
            """),
        ("LookupGrainActivationKey",
            """
            SELECT cluster AS ClusterId, provider AS ProviderId, grain AS GrainId, silo AS SiloAddress, activation AS ActivationId
            FROM activation WHERE cluster = @ClusterId AND provider = @ProviderId AND grain = @GrainId
            """),
        ("UnregisterGrainActivationsKey",
            """
            WITH gone AS (
                DELETE FROM activation WHERE cluster = @ClusterId AND provider = @ProviderId
                    AND silo = ANY (string_to_array(@SiloAddresses, '|')) RETURNING 1)
            SELECT count(*)::integer FROM gone
            """),

        ("ReadReminderRowsKey", $"{ReminderColumns} WHERE service = @ServiceId AND grain = @GrainId"),
        ("ReadReminderRowKey",
            $"{ReminderColumns} WHERE service = @ServiceId AND grain = @GrainId AND name = @ReminderName"),
        ("ReadRangeRows1Key",
            $"{ReminderColumns} WHERE service = @ServiceId AND hash > @BeginHash AND hash <= @EndHash"),
        ("ReadRangeRows2Key",
            $"{ReminderColumns} WHERE service = @ServiceId AND (hash > @BeginHash OR hash <= @EndHash)"),
        ("UpsertReminderRowKey",
            """
            INSERT INTO reminder AS r (service, grain, name, hash, started_at, period_ms, version)
            VALUES (@ServiceId, @GrainId, @ReminderName, @GrainHash, @StartTime, @Period, 0)
            ON CONFLICT (service, grain, name) DO UPDATE SET hash = excluded.hash, started_at = excluded.started_at,
                period_ms = excluded.period_ms, version = r.version + 1
            RETURNING version AS Version
            """),
        ("DeleteReminderRowKey",
            """
            WITH gone AS (
                DELETE FROM reminder WHERE service = @ServiceId AND grain = @GrainId AND name = @ReminderName
                    AND version = @Version RETURNING 1)
            SELECT count(*)::integer FROM gone
            """),
        ("DeleteReminderRowsKey", "DELETE FROM reminder WHERE service = @ServiceId"),

        ("ReadFromStorageKey",
            $"SELECT payload AS PayloadBinary, version AS Version FROM grain_state WHERE {OneState}"),
        // No row is returned where another was first: the provider takes that for a conflict.
        ("WriteToStorageKey",
            $"""
            WITH changed AS (
                UPDATE grain_state SET payload = @PayloadBinary, version = version + 1
                WHERE {OneState} AND version = CAST(@GrainStateVersion AS integer) RETURNING version),
            made AS (
                INSERT INTO grain_state (service, grain_type, key0, key1, key_text, payload, version)
                SELECT @ServiceId, @GrainTypeString, @GrainIdN0, @GrainIdN1,
                    coalesce(CAST(@GrainIdExtensionString AS text), ''), @PayloadBinary, 1
                WHERE CAST(@GrainStateVersion AS integer) IS NULL
                ON CONFLICT DO NOTHING RETURNING version)
            SELECT version AS NewGrainStateVersion FROM changed UNION ALL SELECT version FROM made
            """),
        ("ClearStorageKey",
            $"""
            UPDATE grain_state SET payload = NULL, version = version + 1
            WHERE {OneState} AND version = CAST(@GrainStateVersion AS integer) RETURNING version AS NewGrainStateVersion
            """),
        ("DeleteStorageKey",
            $"""
            DELETE FROM grain_state WHERE {OneState} AND version = CAST(@GrainStateVersion AS integer)
            RETURNING version + 1 AS NewGrainStateVersion
            """),
    ];
}
