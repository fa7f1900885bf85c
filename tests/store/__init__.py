"""The archive and its ledger: what stands stays, what is damaged is found."""
