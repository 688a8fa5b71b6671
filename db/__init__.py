"""Migrations, SQL in files, connections, bulk writes, values to rows. Knows tables, not business."""
