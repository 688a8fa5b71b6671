"""What each message does to a journal."""
