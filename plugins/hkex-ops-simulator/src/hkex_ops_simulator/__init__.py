"""An exchange in a box on loopback: the plug-in, which only says what it offers.

Importing it loads no SSH library. :mod:`hkex_ops_simulator.server` is the exchange itself and
:mod:`hkex_ops_simulator.tree` its invented reports; everything it serves is SYNTHETIC.
"""

from __future__ import annotations

from collections.abc import Iterable

from hkex_ops.hookspecs import hookimpl
from hkex_ops.ports import CommandOffer

__all__ = ["hkex_ops_commands"]


@hookimpl
def hkex_ops_commands() -> Iterable[CommandOffer]:
    """Offer ``rehearse`` and ``simulator``."""
    return [
        CommandOffer(
            "rehearse",
            "hkex_ops_simulator.rehearse:rehearse",
            "Rehearse a rollout against an exchange in a box on loopback",
        ),
        CommandOffer(
            "simulator",
            "hkex_ops_simulator.cli:app",
            "Keep an exchange in a box running on loopback until Ctrl-C",
        ),
    ]
