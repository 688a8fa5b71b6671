"""A seeded day of a marketplace on the whole stack: generated, published, taken in, settled, and reported."""
