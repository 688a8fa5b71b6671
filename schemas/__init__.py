"""What travels: money, the envelope, reason codes, topics, commands and events. Imports no other package of ours."""
