"""Whatever happens in a run has a sentence that needs nothing which the event does not have."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from enum import Enum
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import attrs
import pytest
from rich.console import Console

from hkex_ops.cli import index_facts
from hkex_ops.cli.index_facts import facts, say_fact
from hkex_ops.flows.index.checkpoint import CheckpointFailed, CheckpointWritten
from hkex_ops.flows.index.events import RunEvent, event_document, event_name
from hkex_ops.flows.index.feed_health import BufferRefused, PacketsDropped
from hkex_ops.flows.index.publishing import LaneEvent
from hkex_ops.index.contingency import ModeChanged
from hkex_ops.index.gateway_events import GatewayEvent
from hkex_ops.index.watch import WatchEvent
from hkex_ops.model import HONG_KONG
from hkex_ops.omd.disaster import DisasterRecoveryBegan, DisasterRecoveryEnded
from hkex_ops.omd.events import GapLost

NOON = datetime(2026, 11, 20, 12, tzinfo=HONG_KONG)
TOLD = [
    *(
        kind
        for union in (RunEvent, LaneEvent, GatewayEvent, WatchEvent)
        for kind in get_args(union)
    ),
    ModeChanged,
]
OF_ENGINES = [
    BufferRefused,
    CheckpointFailed,
    CheckpointWritten,
    DisasterRecoveryBegan,
    DisasterRecoveryEnded,
    GapLost,
    PacketsDropped,
]

# Ticks are told by themselves, and a proof when it is complete.
SILENT = {"ticks-published", "proof-advanced"}


def example(kind: Any) -> Any:
    """Something of that type, and nothing that is empty."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return example(next(one for one in inner if one is not type(None)))
    if origin is tuple:
        return tuple(example(one) for one in inner if one is not Ellipsis)
    if (isinstance(origin, type) and issubclass(origin, dict)) or "Mapping" in str(origin):
        return {example(inner[0]): example(inner[1])}
    if isinstance(origin, type):
        return (example(inner[0]),)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return next(iter(kind))
    samples: dict[Any, Any] = {
        int: 7,
        str: "name",
        bool: True,
        bytes: b"raw",
        datetime: NOON,
        Decimal: Decimal("1.50"),
    }
    if kind in samples:
        return samples[kind]
    return made(kind)


def made(kind: Any) -> Any:
    """An event of that class, every field with something in it."""
    hints = get_type_hints(kind)
    return kind(**{one.name: example(hints[one.name]) for one in attrs.fields(kind)})


@pytest.mark.parametrize("kind", TOLD, ids=lambda kind: kind.__name__)
def test_every_event_has_its_sentence(kind: Any) -> None:
    name = event_name(made(kind))
    if name in SILENT:
        return
    sentence = say_fact(event_document(made(kind)))
    assert sentence is not None, name
    assert not re.search(r"None|[{}]|<", sentence), sentence


@pytest.mark.parametrize("kind", OF_ENGINES, ids=lambda kind: kind.__name__)
def test_what_engines_tell_of_the_market_has_one_too(kind: Any) -> None:
    fields = attrs.asdict(made(kind))
    document = {"event": event_name(made(kind)), "at": NOON.isoformat(), "process": "engine-1"}
    assert say_fact({**document, **fields}) is not None


def test_no_sentence_is_of_an_event_that_does_not_exist() -> None:
    known = {event_name(made(kind)) for kind in (*TOLD, *OF_ENGINES)} | {"versions-lacking"}
    assert set() == set(index_facts._SENTENCES) - known


def test_a_fact_is_one_line_with_its_time_however_hostile_the_words(
    capsys: pytest.CaptureFixture[str],
) -> None:
    document = event_document(made(ModeChanged))
    hostile = "two\nlines \x1b[31mred [bold]bold[/bold]"
    facts(Console(width=400)).event({**document, "reason": hostile})
    out = capsys.readouterr().out
    assert out.startswith("12:00:00  CONTINGENCY name")
    assert ("\x1b" in out, "[bold]bold[/bold]" in out) == (False, True)
