"""The ledger's part of the play: a finance desk, a wallet programme and a closing, with what must become of each."""
