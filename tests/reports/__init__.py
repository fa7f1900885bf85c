"""What names mean, what to fetch, whether a folder changed."""
