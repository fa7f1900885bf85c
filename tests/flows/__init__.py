"""Flows: what is kept on the disk, and what survives an interruption."""
