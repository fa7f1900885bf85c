"""Hong Kong's days and hours, judged by papers, by rules and by two packages as oracles."""
