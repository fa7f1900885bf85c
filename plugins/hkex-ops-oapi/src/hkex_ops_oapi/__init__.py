"""Clearing through OAPI: the adapter of the port ``OapiGateway``. This module only offers."""

from __future__ import annotations

__all__: list[str] = []
