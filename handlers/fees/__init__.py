"""What the platform charges its merchants: versioned schedules of basis points and fixed amounts."""
