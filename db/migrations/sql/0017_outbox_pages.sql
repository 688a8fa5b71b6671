-- A batch's events of a topic lie in rows that each fill a page, numbered in their order. In one long value
-- they would be cut into pieces of two kilobytes, each with a row and an index entry of its own, at twice the
-- price.
ALTER TABLE outbox_batches ADD COLUMN part integer NOT NULL DEFAULT 1;
ALTER TABLE outbox_batches DROP CONSTRAINT outbox_batches_pkey;
ALTER TABLE outbox_batches ADD PRIMARY KEY (batch_id, topic, part);
ALTER TABLE outbox_batches SET (toast_tuple_target = 8160);
