"""Flows of clearing: check gateways, fetch records, compare books, list what goes in again."""
