"""Fixtures of the tests of hkex-ops-nats."""
