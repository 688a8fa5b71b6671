"""What waits for a person: gathered from every context, with who may decide, by when, and by which command."""
