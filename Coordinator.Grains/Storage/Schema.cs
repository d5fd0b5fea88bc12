namespace Coordinator.Grains.Storage;

/// <summary>
/// The stored tables, as the steps that made them. Invariant: a step that was released never changes; what is new is
/// another step.
/// </summary>
internal static class Schema
{
    /// <summary>Entry <c>i</c> leads from version <c>i</c> to <c>i + 1</c>.</summary>
    public static readonly IReadOnlyList<string> Migrations = [Version1, Version2, Version3, Version4, Version5, Version6];

    public static int Version => Migrations.Count;

    // A peer's row is written by every batch: the free space on its page lets each new version stay there without
    // touching an index (HOT). Payloads are kept uncompressed and out of line: they are often compressed or encrypted
    // already, and a large one must not make its row slow to step over.
    private const string Version1 =
        """
        CREATE TABLE coordinator.cluster (
            single      boolean PRIMARY KEY DEFAULT true CHECK (single),
            cluster_id  uuid NOT NULL,
            groups      integer NOT NULL,
            checksum    integer NOT NULL
        );

        CREATE TABLE coordinator.peer (
            group_id          integer NOT NULL,
            peer_id           bigint NOT NULL,
            storage_id        uuid NOT NULL,
            identity_checksum integer NOT NULL,
            epoch             bigint NOT NULL,
            owner             text NOT NULL,
            activation        uuid NOT NULL,
            write_seq         bigint NOT NULL,
            term              bigint NOT NULL,
            vote              bigint NOT NULL,
            commit_index      bigint NOT NULL,
            checksum          integer NOT NULL,
            last_index        bigint NOT NULL,
            log_checksum      integer NOT NULL,
            snapshot_epoch    bigint NOT NULL,
            snapshot_id       bigint NOT NULL,
            snapshot_index    bigint NOT NULL,
            snapshot_term     bigint NOT NULL,
            snapshot_chunks   integer NOT NULL,
            snapshot_bytes    bigint NOT NULL,
            snapshot_checksum integer NOT NULL,
            PRIMARY KEY (group_id, peer_id)
        ) WITH (fillfactor = 10);

        CREATE TABLE coordinator.log (
            group_id  integer NOT NULL,
            peer_id   bigint NOT NULL,
            index     bigint NOT NULL,
            term      bigint NOT NULL,
            type      smallint NOT NULL,
            stamp     bigint NOT NULL,
            data      bytea NOT NULL,
            checksum  integer NOT NULL,
            PRIMARY KEY (group_id, peer_id, index)
        );

        CREATE TABLE coordinator.snapshot_chunk (
            group_id     integer NOT NULL,
            peer_id      bigint NOT NULL,
            epoch        bigint NOT NULL,
            snapshot_id  bigint NOT NULL,
            chunk        integer NOT NULL,
            data         bytea NOT NULL,
            checksum     integer NOT NULL,
            PRIMARY KEY (group_id, peer_id, epoch, snapshot_id, chunk)
        );

        ALTER TABLE coordinator.log ALTER COLUMN data SET STORAGE EXTERNAL;
        ALTER TABLE coordinator.snapshot_chunk ALTER COLUMN data SET STORAGE EXTERNAL;

        COMMENT ON COLUMN coordinator.peer.epoch IS 'Counts activations; a write with another epoch does not land.';
        COMMENT ON COLUMN coordinator.peer.activation IS 'Of the statement that set the epoch, to tell one''s own.';
        COMMENT ON COLUMN coordinator.peer.checksum IS 'CRC-32C over key, write_seq, term, vote and commit_index.';
        COMMENT ON COLUMN coordinator.log.stamp IS 'Log time set by the leader, 0 for none.';
        """;

    private const string Version2 =
        """
        CREATE TABLE coordinator.peer_addition (
            group_id       integer NOT NULL,
            nonce          uuid NOT NULL,
            peer_id        bigint NOT NULL,
            storage_id     uuid NOT NULL,
            stays_learner  boolean NOT NULL,
            checksum       integer NOT NULL,
            PRIMARY KEY (group_id, nonce)
        );

        COMMENT ON TABLE coordinator.peer_addition IS 'What an operator asked for; kept when the peer has left.';
        """;

    private const string Version3 =
        """
        CREATE TABLE coordinator.silo (
            single      boolean PRIMARY KEY DEFAULT true CHECK (single),
            silo_id     text NOT NULL,
            storage_id  uuid NOT NULL,
            bootstrap   bytea,
            checksum    integer NOT NULL
        );

        COMMENT ON TABLE coordinator.silo IS 'The silo of a cluster that this database belongs to; none: an embedded host''s.';
        COMMENT ON COLUMN coordinator.silo.storage_id IS 'Of the silo''s peer; stored before any other silo is told of it.';
        COMMENT ON COLUMN coordinator.silo.bootstrap IS 'Where the cluster began; written together with the peer''s row.';
        """;

    private const string Version4 =
        """
        ALTER TABLE coordinator.peer_addition ADD COLUMN replaces bigint NOT NULL DEFAULT 0;

        COMMENT ON COLUMN coordinator.peer_addition.replaces IS 'The peer whose place it takes once it has caught up; 0: nobody''s.';
        """;

    // One column with its own checksum inside: it is written with each batch, and by nobody who knows less.
    private const string Version5 =
        """
        ALTER TABLE coordinator.peer ADD COLUMN sightings bytea NOT NULL DEFAULT '';

        COMMENT ON COLUMN coordinator.peer.sightings IS 'How far the other peers'' storage has come, as they have told this one.';
        """;

    private const string Version6 =
        """
        CREATE TABLE coordinator.restored (
            single    boolean PRIMARY KEY DEFAULT true CHECK (single),
            what      bytea NOT NULL,
            checksum  integer NOT NULL
        );

        COMMENT ON TABLE coordinator.restored IS 'What a cluster with all its peers in this database was made of; none: of nothing.';
        """;
}
