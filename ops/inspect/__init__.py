"""What finance and support people ask: balances, trial balances, explanations, queues."""
