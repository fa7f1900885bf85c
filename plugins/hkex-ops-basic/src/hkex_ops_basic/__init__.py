"""Adapters that need the standard library only: the probes ``tcp`` and ``https``.

This module only offers. The core imports it to list what is installed, so nothing here may load
``ssl`` or the network; :mod:`hkex_ops_basic.opening` does that when a probe is really opened.
"""

from __future__ import annotations

from collections.abc import Iterable

from hkex_ops.hookspecs import hookimpl
from hkex_ops.ports import Offer, Probe
from hkex_ops_basic.opening import open_https, open_tcp
from hkex_ops_basic.options import HttpsOptions, TcpOptions

__all__ = ["HttpsOptions", "TcpOptions", "hkex_ops_probes", "open_https", "open_tcp"]


@hookimpl
def hkex_ops_probes() -> Iterable[Offer[Probe]]:
    """Offer the probes ``tcp`` and ``https``."""
    return [Offer("tcp", TcpOptions, open_tcp), Offer("https", HttpsOptions, open_https)]
