"""Manual journals, reversals and currency conversions: proposed by one person, approved by another, posted at once."""
