"""Adapters of HKEX Orion Market Data: this module only offers, and loads no engine."""
