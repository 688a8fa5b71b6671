"""Dispute rules by what arrives: the provider's reports and answers, commands, timers, facts about the order."""
