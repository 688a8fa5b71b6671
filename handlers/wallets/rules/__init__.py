"""What each message does to a wallet and its holds."""
