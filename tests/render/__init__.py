"""The summary of an evidence pack: what an auditor reads without this software."""
