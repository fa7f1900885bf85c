"""Layouts of market data messages read from the tables that ship with the room ``omd``.

The one place that opens them. Each is read once; a codec has no state and is shared.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from typing import cast

from hkex_ops.config.structuring import in_order, make_converter, nearest, structure
from hkex_ops.errors import ConfigError, Fault, UsageError
from hkex_ops.omd import Codec, Layout, faults_of

__all__ = ["DEFAULT_SPEC", "SPECS", "load_codec", "load_layout", "spec_on", "structure_layout"]

DEFAULT_SPEC = "omd-c-1.45"
"""The specification in force."""

SPECS = (DEFAULT_SPEC, "omd-c-2023-02", "omd-c-2020-09", "omd-cc-1.4")
"""The specifications that have a table: securities and index, newest first, and China Connect."""


@cache
def load_layout(spec: str = DEFAULT_SPEC) -> Layout:
    """The layouts of one spec version; `UsageError` names the nearest when there is none."""
    if spec not in SPECS:
        raise UsageError(f"there is no specification {spec!r}; {nearest(spec, SPECS)}")
    name = f"{spec}.json"
    text = files("hkex_ops.omd").joinpath("data", name).read_text(encoding="utf-8")
    return structure_layout(text, document=name)


@cache
def load_codec(spec: str = DEFAULT_SPEC) -> Codec:
    """What reads and writes the messages of one spec version; `UsageError` as `load_layout`."""
    return Codec(load_layout(spec))


def spec_on(day: date) -> str:
    """The specification of the securities feeds that held on ``day``.

    `UsageError` for a day before 30 April 2018: no layout of that time is known.
    """
    for spec in SPECS:
        first = load_layout(spec).first_day
        if first is not None and first <= day:
            return spec
    raise UsageError(f"no layout of {day} is known: the oldest is of 30 April 2018")


def structure_layout(text: str, *, document: str) -> Layout:
    """The layout that a JSON text spells; `ConfigError` lists every fault of shape, or of sense."""
    try:
        table: object = json.loads(text)
    except ValueError as error:
        raise ConfigError(f"is not JSON: {error}", document=document) from None
    if not isinstance(table, dict):
        raise ConfigError("must be a table with the messages of one version", document=document)
    converter = make_converter()
    converter.register_structure_hook(date, _day)
    layout = structure(
        cast("Mapping[str, object]", table), Layout, document=document, converter=converter
    )
    faults = [Fault(path, message) for path, message in faults_of(layout)]
    if faults:
        raise ConfigError(in_order(faults), document=document)
    return layout


def _day(value: object, _: object) -> date:
    if isinstance(value, str):
        return date.fromisoformat(value)
    raise ValueError("must be a day such as 2020-10-19")
