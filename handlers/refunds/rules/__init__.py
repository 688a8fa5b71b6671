"""What becomes of a refund when a message about it comes; one file for each kind of message."""
