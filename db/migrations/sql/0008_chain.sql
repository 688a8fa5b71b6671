-- The hash chain over the journal: for each tenant, blocks of entries in the order of (xid, entry_id), each
-- with the hash of the one before (law 9). See docs/proof.md and docs/adr/0016-hash-chain.md.

-- A round of blocks takes in what was committed since the last: it is found by transaction id.
CREATE INDEX entries_xid ON entries (xid);

-- `leaves` are the SHA-256 of the entries in `entry_ids`, 32 bytes each, in that order. A block holds all
-- entries of its tenant whose transaction came after the block before, up to and including `through_xid`.
CREATE TABLE chain_blocks (
    tenant text NOT NULL,
    number bigint NOT NULL CHECK (number > 0),
    form smallint NOT NULL,
    first_position bigint NOT NULL CHECK (first_position > 0),
    last_position bigint NOT NULL,
    through_xid xid8 NOT NULL,
    previous_hash bytea NOT NULL CHECK (octet_length(previous_hash) = 32),
    entry_ids bigint[] NOT NULL,
    leaves bytea NOT NULL,
    built_at timestamptz NOT NULL,
    block_hash bytea NOT NULL CHECK (octet_length(block_hash) = 32),
    key_id text,
    signature bytea,
    PRIMARY KEY (tenant, number),
    CHECK (cardinality(entry_ids) = last_position - first_position + 1),
    CHECK (octet_length(leaves) = 32 * cardinality(entry_ids)),
    CHECK ((key_id IS NULL) = (signature IS NULL))
);
-- Hashes do not compress.
ALTER TABLE chain_blocks ALTER COLUMN leaves SET STORAGE EXTERNAL;
CREATE INDEX chain_blocks_rounds ON chain_blocks (through_xid, tenant);

-- A block follows the one before it, and takes in only transactions that have ended.
CREATE FUNCTION guard_chain_blocks() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    bad record;
BEGIN
    SELECT n.tenant, n.number INTO bad
    FROM new_blocks AS n
    LEFT JOIN chain_blocks AS p ON p.tenant = n.tenant AND p.number = n.number - 1
    WHERE (n.number, n.first_position, n.previous_hash) IS DISTINCT FROM (
            coalesce(p.number, 0) + 1, coalesce(p.last_position, 0) + 1,
            coalesce(p.block_hash, decode(repeat('00', 32), 'hex'))
        )
        OR n.through_xid <= p.through_xid
        OR n.through_xid >= pg_snapshot_xmin(pg_current_snapshot())
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'block % of % does not follow the one before it', bad.number, bad.tenant
        USING ERRCODE = 'check_violation', CONSTRAINT = 'chain_blocks_follow';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER chain_blocks_follow AFTER INSERT ON chain_blocks
REFERENCING NEW TABLE AS new_blocks FOR EACH STATEMENT EXECUTE FUNCTION guard_chain_blocks();
CREATE TRIGGER chain_blocks_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON chain_blocks
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
ALTER TABLE chain_blocks ENABLE ALWAYS TRIGGER chain_blocks_follow;
ALTER TABLE chain_blocks ENABLE ALWAYS TRIGGER chain_blocks_append_only;

GRANT INSERT ON chain_blocks TO counterfoil_app;
