"""What proves a thing later: the chain, the bag, and the folder that holds both."""
