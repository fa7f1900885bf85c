"""What streams say, brought to the mailroom of the configuration: routed, on disk, and sent once.

Works in whatever thread it is called in and raises nothing, for no stream may end because somebody
could not be told of it: what goes wrong is logged. What could not be sent at once stays in the
outbox for ``hkex-ops notify run``, which also falls back and escalates while nothing else happens.
"""

from __future__ import annotations

import asyncio
import threading

import structlog

from hkex_ops import log
from hkex_ops.clock import Clock
from hkex_ops.config.settings import Settings
from hkex_ops.errors import HkexOpsError
from hkex_ops.flows.notifying.configured import Correspondence, correspondence
from hkex_ops.flows.notifying.mailroom import Mailroom
from hkex_ops.model import Occurrence
from hkex_ops.plugins import Plugins

__all__ = ["Courier"]

_log = structlog.get_logger()


class Courier:
    """Brings occurrences to one mailroom, one at a time. Plug-ins are loaded with the first."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._stated: Correspondence | None = None

    def __call__(self, occurrence: Occurrence) -> None:
        """Hand ``occurrence`` in and send what is due."""
        with self._lock:
            try:
                if self._stated is None:
                    plugins = Plugins.load(block=self._settings.plugins.block)
                    self._stated = correspondence(self._settings, plugins)
                with Mailroom(self._stated, self._clock) as mailroom:
                    mailroom.hand_in(occurrence)
                    asyncio.run(mailroom.deliver())
            except HkexOpsError as error:
                _log.warning(log.NOT_TOLD, happened=occurrence.event, reason=str(error))
