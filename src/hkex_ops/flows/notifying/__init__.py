"""Telling people, with proof: an outbox on disk, lanes that send, and what became of each receiver.

`mailroom` is what everybody uses; the modules behind it are each other's. Importing it loads
sqlite3.
"""
