"""Clearing: what a gateway answered as trades and positions, and both sides' books compared."""

from __future__ import annotations

__all__: list[str] = []
