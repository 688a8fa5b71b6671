"""Journals at the desk: a CSV file of legs, what it would post, and all that is known of a journal."""
