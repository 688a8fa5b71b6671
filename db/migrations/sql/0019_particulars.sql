-- What is sealed of an entry besides its header and lines: its particulars (references, origin, link). Blocks
-- of form 2 have a hash for each that there is; those of form 1 know none. See docs/adr/0016-hash-chain.md.

-- `particular_leaves` are SHA-256, 32 bytes each: of the particulars of that kind (`particular_kinds`) of
-- that entry (`particular_ids`).
ALTER TABLE chain_blocks
ADD COLUMN particular_ids bigint[] NOT NULL DEFAULT '{}',
ADD COLUMN particular_kinds text[] NOT NULL DEFAULT '{}',
ADD COLUMN particular_leaves bytea NOT NULL DEFAULT '',
ADD CHECK (cardinality(particular_kinds) = cardinality(particular_ids)),
ADD CHECK (octet_length(particular_leaves) = 32 * cardinality(particular_ids)),
ADD CHECK (form > 1 OR cardinality(particular_ids) = 0);
ALTER TABLE chain_blocks ALTER COLUMN particular_leaves SET STORAGE EXTERNAL;
