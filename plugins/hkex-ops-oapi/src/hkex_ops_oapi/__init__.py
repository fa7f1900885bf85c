"""Clearing through OAPI: the gateway ``oapi`` over a licensee's own library, and ``hkex-ops oapi``.

This module only offers. The core imports it to list what is installed, so nothing here may load
cffi or a parser of C; :mod:`hkex_ops_oapi.opening` does that when a gateway is really opened.
"""

from __future__ import annotations

from collections.abc import Iterable

from hkex_ops.hookspecs import hookimpl
from hkex_ops.ports import CommandOffer, OapiGateway, Offer
from hkex_ops_oapi.opening import open_gateway
from hkex_ops_oapi.options import OapiOptions, addresses_of

__all__ = ["OapiOptions", "hkex_ops_commands", "hkex_ops_oapi_gateways"]


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


@hookimpl
def hkex_ops_oapi_gateways() -> Iterable[Offer[OapiGateway]]:
    """Offer the gateway ``oapi``."""
    return [Offer("oapi", OapiOptions, open_gateway, addresses_of)]
