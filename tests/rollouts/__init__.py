"""A circular as data, and the questions answered from it."""
