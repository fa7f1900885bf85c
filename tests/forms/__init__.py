"""Forms: what a data file may say, what is printed of it, and when none is made."""
