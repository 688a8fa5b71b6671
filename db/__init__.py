"""What is stored: migrations, SQL in files, transactions, bulk writes, the guards. Knows tables, not business."""
