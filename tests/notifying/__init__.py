"""The mailroom: what is handed in is on disk, sent once, and shown with the other side's word."""
