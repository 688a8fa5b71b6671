"""The books, given away: Beancount and hledger journals, CSV and Parquet, and batches for an accounting system."""
