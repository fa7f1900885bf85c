"""Notifications by Apprise: the adapter of the port ``Notifier``. This module only offers."""

from __future__ import annotations

__all__: list[str] = []
