"""Adapters for NATS JetStream: this module only offers, and loads no engine."""
