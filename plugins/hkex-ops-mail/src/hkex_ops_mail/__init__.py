"""Adapters for mail by SMTP: this module only offers, and loads no engine."""
