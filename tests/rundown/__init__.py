"""The step machine of a session, as event lists."""
