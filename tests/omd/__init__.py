"""Market data: bytes and messages, lines and captures."""
