"""The nouns of the field: what each value promises, and what it refuses to be."""
