"""Files that people write: what is accepted, and how every fault is told."""
