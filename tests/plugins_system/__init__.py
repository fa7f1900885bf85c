"""The plug-in system against real distributions, sound and broken."""
