"""The double-entry ledger: the chart of accounts and the engine that turns a posting rule into balanced legs."""
