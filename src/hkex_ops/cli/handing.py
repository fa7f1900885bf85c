"""What a command has to tell, handed to everybody whom the configuration names.

Nothing here changes how a command ends: what cannot be told is logged.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path

import structlog

from hkex_ops import log
from hkex_ops.cli.configuration import named_config
from hkex_ops.cli.options import optional_settings, system_clock
from hkex_ops.cli.working import work_folder
from hkex_ops.clock import Clock
from hkex_ops.config.settings import Settings
from hkex_ops.errors import Denied, HkexOpsError, RemoteError
from hkex_ops.flows.notifying.streams import occurrence_of_denial
from hkex_ops.flows.occurring import Occurrences, hearers_of
from hkex_ops.model import Occurrence

__all__ = ["hand_over", "hand_over_denial", "hand_over_failure"]

_log = structlog.get_logger()


def hand_over(
    settings: Settings | None, clock: Clock, told: Callable[[], Iterable[Occurrence]]
) -> None:
    """Tell what ``told`` says; it is not asked where nobody wants to hear."""
    hearers = hearers_of(settings, work_folder(None, settings), clock)
    if not hearers:
        return
    try:
        with Occurrences(hearers) as occurrences:
            for one in told():
                occurrences.tell(one)
    except HkexOpsError as error:
        _log.warning(log.NOT_TOLD, happened="", reason=str(error))


@contextmanager
def hand_over_failure(
    settings: Settings, clock: Clock, told: Callable[[RemoteError], Occurrence]
) -> Generator[None]:
    """Tell of an error of the other side, which goes on."""
    try:
        yield
    except RemoteError as error:
        failed = error
        hand_over(settings, clock, lambda: (told(failed),))
        raise


def hand_over_denial(denied: Denied, arguments: Sequence[str]) -> None:
    """Tell that an act was asked for and denied, whichever command it was."""
    named = named_config(arguments)
    try:
        settings = optional_settings(None if named is None else Path(named))
    except HkexOpsError as error:
        _log.warning(log.NOT_TOLD, happened="guard/denied", reason=str(error))
        return
    clock = system_clock()
    hand_over(settings, clock, lambda: (occurrence_of_denial(denied, clock.now()),))
