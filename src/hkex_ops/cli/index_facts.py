"""What a person is told of a run as it goes: one line for each fact, on stderr.

Every event of a run is in its journal and, with ``--json``, on stdout. Here are the sentences for
those that somebody at a terminal wants to see as they happen; an event without one is passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from rich.console import Console

from hkex_ops.cli.text import say, say_count
from hkex_ops.flows.index.supervisor import RunWatcher
from hkex_ops.model import JsonObject

__all__ = ["facts", "say_fact"]


def facts(console: Console | None = None) -> RunWatcher:
    """A watcher that shows facts on ``console``, or on stderr."""
    shown = console or Console(stderr=True, highlight=False)

    def event(document: JsonObject) -> None:
        sentence = say_fact(document)
        if sentence is not None:
            at = datetime.fromisoformat(str(document["at"]))
            say(shown, sentence, lead=f"{at:%H:%M:%S}  ")

    return RunWatcher(event=event)


def say_fact(document: JsonObject) -> str | None:
    """The sentence for an event; nothing for one that is of no interest at a terminal."""
    sentence = _SENTENCES.get(str(document["event"]))
    return None if sentence is None else sentence(document)


def _started(one: JsonObject) -> str:
    engines, indexes = one["engines"], one["indexes"]
    assert isinstance(engines, Mapping), "as events of a run are"
    assert isinstance(indexes, int), "as events of a run are"
    many = f"{indexes} {'index' if indexes == 1 else 'indexes'}"
    return (
        f"{one['business_date']}: {say_count(len(engines), 'engine')} for {many} of "
        f"{one['securities']} stocks, from {one['feed']}"
    )


def _resumed(one: JsonObject) -> str:
    until = one["published_until"]
    out = "nothing was published yet" if until is None else f"ticks up to {until} are out"
    return f"resumed, {out}; {one['quarantined']} quarantined; contingency is {one['mode']}"


def _ready(one: JsonObject) -> str:
    origin = one["restored_from"]
    begun = "afresh" if origin is None else f"where {origin} stood"
    return f"{one['process']} is ready at the {one['site']} site (pid {one['pid']}), {begun}"


def _numbers(one: JsonObject, begin: str = "begin", end: str = "end") -> str:
    first, last = one[begin], one[end]
    return f"message {first}" if first == last else f"messages {first} to {last}"


def _messages(one: JsonObject) -> str:
    stock = "" if one["security"] is None else f", stock {one['security']}"
    return f"{_numbers(one, 'first', 'last')} of channel {one['channel']}{stock}"


def _quarantined(one: JsonObject) -> str:
    return f"QUARANTINED: {_messages(one)}: {one['process']} {one['how']} with it"


def _suspected(one: JsonObject) -> str:
    return f"{one['process']} ended with {_messages(one)} in hand, which another has passed"


def _mode(one: JsonObject) -> str:
    by = f" ({one['by']})" if one["by"] else ""
    return f"CONTINGENCY {one['name']}: {one['before']} to {one['after']}: {one['reason']}{by}"


def _gateway(one: JsonObject) -> str:
    by = f" ({one['by']})" if one["by"] else ""
    return f"gateway: {one['before']} to {one['after']}: {one['reason']}{by}"


def _given_up(one: JsonObject) -> str:
    return f"publisher {one['publisher']} lost the ticks of {one['moment']}: {one['reason']}"


def _late_opening(one: JsonObject) -> str:
    indexes = one["indexes"]
    many = len(indexes) if isinstance(indexes, list | tuple) else 0
    return f"the opening of {many} {'index' if many == 1 else 'indexes'} is late, due {one['due']}"


_SENTENCES: Mapping[str, Callable[[JsonObject], str]] = {
    "run-started": _started,
    "run-resumed": _resumed,
    "run-stopped": lambda one: f"stopped: {one['reason']}",
    "process-ready": _ready,
    "process-failed": lambda one: f"{one['process']} cannot go on: {one['reason']}",
    "process-hung": lambda one: f"{one['process']} hangs for {one['silent_ms']} ms: killed",
    "process-died": lambda one: f"{one['process']} (pid {one['pid']}) {one['how']}",
    "process-ended": lambda one: f"{one['process']} (pid {one['pid']}) {one['how']}",
    "message-suspected": _suspected,
    "message-quarantined": _quarantined,
    "journal-failed": lambda one: f"THE JOURNAL CANNOT BE WRITTEN: {one['reason']}",
    "journal-mended": lambda _: "the journal is written again",
    "checkpoint-failed": lambda one: (
        f"{one['process']} cannot write down where it stands: {one['reason']}"
    ),
    "checkpoint-written": lambda one: f"{one['process']} writes down where it stands again",
    "mode-changed": _mode,
    "gateway-state-changed": _gateway,
    "publication-resumed": lambda one: f"real-time values again, {one['proven']} proven right",
    "proof-failed": lambda one: (
        f"not proven: {one['engine']} has {one['value']} for {one['index']}, the check "
        f"{one['snapshot']}"
    ),
    "engine-late": lambda one: f"{one['engine']} is late",
    "engine-punctual": lambda one: f"{one['engine']} keeps time again",
    "engine-died": lambda one: f"{one['engine']} counts as dead: {one['reason']}",
    "engine-returned": lambda one: f"{one['engine']} speaks again",
    "engine-trusted": lambda one: f"{one['engine']} is trusted, {one['proven']} ticks proven",
    "engine-distrusted": lambda one: f"{one['engine']} WAS WRONG and is not published",
    "engine-disagreed": lambda one: (
        f"{one['engine']} has {one['value']} for {one['index']}, {one['other_engine']} has "
        f"{one['other_value']}"
    ),
    "snapshot-differs": lambda one: (
        f"{one['engine']} has {one['value']} for {one['index']}, the check {one['snapshot']}"
    ),
    "moment-missed": lambda _: "a tick is missing: no engine will bring it",
    "publisher-opened": lambda one: f"publisher {one['publisher']} is open",
    "publisher-failed": lambda one: (
        f"publisher {one['publisher']} failed: {one['reason']}; tried again in {one['wait_ms']} ms"
    ),
    "ticks-given-up": _given_up,
    "event-given-up": lambda one: (
        f"publisher {one['publisher']} was not told of {one['given_up']}: {one['reason']}"
    ),
    "opening-late": _late_opening,
    "opening-came": lambda one: f"the opening of {one['index']} came {one['late_s']} s late",
    "index-unchanged": lambda one: (
        f"{one['index']} stands still since {one['since']} while its stocks moved {one['moves']} "
        "times"
    ),
    "index-moved-again": lambda one: f"{one['index']} moves again",
    "stock-stopped": lambda one: f"stock {one['security']} has not traded for {one['silent_s']} s",
    "stock-trades-again": lambda one: f"stock {one['security']} trades again",
    "feed-on-one-line": lambda one: (
        f"channel {one['channel']} comes on line {one['line']} only, since {one['since']}"
    ),
    "gap-lost": lambda one: f"{one['process']}: {_numbers(one)} of channel {one['channel']} LOST",
    "packets-dropped": lambda one: (
        f"{one['process']}: this machine dropped {one['dropped_packets']} packets of channel "
        f"{one['channel']}, line {one['line']}: it had no room for them"
    ),
    "buffer-refused": lambda one: (
        f"this machine gives sockets {one['buffer_bytes']} bytes where "
        f"{one['wanted_buffer_bytes']} are wanted: raise net.core.rmem_max"
    ),
    "feed-on-both-lines": lambda one: f"channel {one['channel']} comes on both lines again",
    "versions-lacking": lambda one: f"no versions of {one['index']} today: {one['reason']}",
    "disaster-recovery-began": lambda _: "THE EXCHANGE MOVES TO ITS OTHER SITE",
    "disaster-recovery-ended": lambda _: "the exchange has moved to its other site",
}
