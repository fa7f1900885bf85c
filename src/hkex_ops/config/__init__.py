"""Files that people write, turned into values: settings, catalogues, calendars, rollouts.

TOML through one cattrs converter; every fault of a document is reported at once, each with its
path. The only room that opens data files.
"""
