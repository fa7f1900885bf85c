"""HKEX Orion market data: bytes and messages. Knows no socket, no file and no index."""
