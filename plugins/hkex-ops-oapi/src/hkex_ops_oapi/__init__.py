"""Clearing through OAPI: the gateway ``oapi`` over a licensee's own library, and ``hkex-ops oapi``.

This module only offers. The core imports it to list what is installed, so nothing here may load
cffi or a parser of C; :mod:`hkex_ops_oapi.opening` does that when a gateway is really opened.
"""

from __future__ import annotations

from collections.abc import Iterable

from hkex_ops.hookspecs import hookimpl
from hkex_ops.ports import CommandOffer

__all__ = ["hkex_ops_commands"]


@hookimpl
def hkex_ops_commands() -> Iterable[CommandOffer]:
    """Offer ``oapi``."""
    return [
        CommandOffer(
            "oapi",
            "hkex_ops_oapi.command:app",
            "Turn the header of your licensed OAPI kit into layouts of messages",
        )
    ]
