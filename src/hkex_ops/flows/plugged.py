"""The installed plug-ins, loaded for work: what is not in use is told to the log.

Commands that only answer questions say on stderr what matters to the answer; whoever is about to
work through adapters loads them here.
"""

from __future__ import annotations

from collections.abc import Iterable

import structlog

from hkex_ops import log
from hkex_ops.plugins import Plugins

__all__ = ["load_plugins"]

_log = structlog.get_logger()


def load_plugins(block: Iterable[str] = ()) -> Plugins:
    """Load what is installed, all but ``block``; each fault becomes a log event."""
    plugins = Plugins.load(block=block)
    for fault in plugins.faults:
        _log.warning(
            log.PLUGIN_FAULT,
            distribution=fault.distribution,
            hook=fault.hook or None,
            message=fault.message,
        )
    return plugins
