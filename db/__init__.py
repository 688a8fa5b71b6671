"""Tables: migrations, SQL in files, connections, bulk writes, the mapping of values to rows. Knows tables, not business."""
