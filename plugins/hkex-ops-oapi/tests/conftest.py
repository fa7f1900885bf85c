"""What the tests of this plug-in share: the folder of its test doubles is on the path."""
