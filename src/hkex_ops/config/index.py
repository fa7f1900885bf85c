"""The ``[index]`` table of the configuration: which indexes, by which rules, and how they are run.

Rules belong to the room that follows them and are structured into its own classes; how processes
are run is said here. Whether a setting makes sense is judged by its room, and every fault of the
table is reported at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from attrs import Factory, frozen

from hkex_ops.errors import Fault
from hkex_ops.index.rules import (
    ContingencyRules,
    GatewayRules,
    IndexRules,
    WatchRules,
    faults_of_rules,
)
from hkex_ops.model import SiteRole

__all__ = ["REACTION_MS", "IndexSettings", "RunSettings", "index_faults"]

_PRIMARY, _SECONDARY = SiteRole.PRIMARY, SiteRole.SECONDARY


@frozen
class RunSettings:
    """How the processes of a run are kept.

    ``engine_sites`` are the sites of the engines in order, and of more engines in the same order
    again: two at the primary and one at the backup site, as HSIL had them in 2010 (HSIL report,
    section 2 b). ``contingency_sites`` are those of the contingency systems, of which there were
    two (section 2 c).

    ``watchdog_ms``: an engine that has not stirred for so long hangs, and is killed.
    ``hold_back_ms``: how long a message waits, per engine before it in rank, for one to pass it.
    More than the watchdog by `REACTION_MS`, or a message that hangs the first engine would be
    taken by the second.
    ``gap_ms``: how long a gap waits for the other line before it is asked for again.
    ``checkpoint_s``: how often each engine writes down where it stands.
    ``restart_ms``, ``restart_longest_ms``: how soon a process that died is started again, at
    first and at most.
    """

    engine_sites: tuple[SiteRole, ...] = (_PRIMARY, _PRIMARY, _SECONDARY)
    contingency_sites: tuple[SiteRole, ...] = (_PRIMARY, _SECONDARY)
    watchdog_ms: int = 1_000
    hold_back_ms: int = 1_500
    gap_ms: int = 200
    checkpoint_s: int = 5
    restart_ms: int = 100
    restart_longest_ms: int = 5_000


@frozen
class IndexSettings:
    """What the ``[index]`` table may say.

    ``baskets`` is the basket file of the business date; ``folder`` is where runs keep what must
    outlive them. ``specification`` is the version of the feed's messages. ``feed`` and ``publish``
    are used where the command line names none.
    """

    baskets: Path | None = None
    folder: Path | None = None
    specification: str = "omd-c-1.45"
    feed: str | None = None
    publish: tuple[str, ...] = ()
    rules: IndexRules = Factory(IndexRules)
    gateway: GatewayRules = Factory(GatewayRules)
    contingency: ContingencyRules = Factory(ContingencyRules)
    watch: WatchRules = Factory(WatchRules)
    run: RunSettings = Factory(RunSettings)


_LEAST_MS = 10

REACTION_MS = 250
"""What lies between the watchdog's time and a quarantine on the board: the supervisor's next look
(50 ms), the kill, the end of the process, and the journal's entry, which waits for the disk."""


def index_faults(settings: IndexSettings) -> Iterator[Fault]:
    """Every setting of the table that makes no sense, alone or beside another."""
    for name in ("rules", "gateway", "contingency", "watch"):
        for key, message in faults_of_rules(getattr(settings, name)):
            yield Fault(f"index.{name}.{key}", message)
    run = settings.run
    for key in ("engine_sites", "contingency_sites"):
        if not getattr(run, key):
            yield Fault(f"index.run.{key}", "names no site")
    for key in ("watchdog_ms", "hold_back_ms", "gap_ms", "restart_ms", "restart_longest_ms"):
        if getattr(run, key) < _LEAST_MS:
            yield Fault(f"index.run.{key}", f"must be at least {_LEAST_MS}")
    if run.checkpoint_s < 1:
        yield Fault("index.run.checkpoint_s", "must be at least 1")
    if run.hold_back_ms < run.watchdog_ms + REACTION_MS:
        yield Fault(
            "index.run.hold_back_ms",
            f"must be at least {REACTION_MS} more than watchdog_ms: a message that hangs one "
            "engine would reach the next before the first was found dead",
        )
    if run.restart_longest_ms < run.restart_ms:
        yield Fault("index.run.restart_longest_ms", "must not be less than restart_ms")
