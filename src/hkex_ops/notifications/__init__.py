"""Who is told what, by which channel, and what became of it: routing, digests, escalation."""

from __future__ import annotations

__all__: list[str] = []
