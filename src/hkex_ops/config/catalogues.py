"""Catalogue files as values: the operator's own, those that ship, and one taken into the other.

Every fault comes out at once with its place: what is wrong with the shape of one key hides neither
the sense of another nor what is wrong elsewhere in the same rule.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

from attrs import evolve
from cattrs import Converter

from hkex_ops.config.judging import structure_and_judge
from hkex_ops.config.stated import add_dates
from hkex_ops.config.structuring import (
    document_of,
    make_converter,
    nearest,
    read_text,
    said,
)
from hkex_ops.errors import Fault, UsageError
from hkex_ops.reports import Catalogue, CutOff, Include, catalogue_faults

__all__ = [
    "read_catalogue",
    "shipped_catalogue",
    "shipped_catalogue_text",
    "shipped_catalogues",
    "structure_catalogue",
]

_SUFFIX = ".toml"

_INDEX = re.compile(r"\[\d+\]$")

_NAMING = frozenset(
    {"name", "pattern", "date_form", "fields", "house", "code", "houses", "parts", "times"}
    | {"instances"}
)
_TIMING = frozenset({"by", "times", "every_min", "from", "to", "instances", "weekdays", "dates"})

_HANGING: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(("name", "pattern", "date_form", "fields"), _NAMING),
    **dict.fromkeys(("house", "houses"), frozenset({"house", "houses"})),
    **dict.fromkeys(("code", "codes"), frozenset({"code", "codes"})),
    **dict.fromkeys(("on", "by", "times", "every_min", "from", "to"), _TIMING),
    "parts": frozenset({"control"}),
    "form": frozenset({"trailer", "count", "totals", "states", "control"}),
    "sessions": frozenset({"session"}),
    "service": frozenset({"service"}),
}
"""What cannot be judged where a key is at fault: other keys of the same table, or below it."""


def read_catalogue(path: Path) -> Catalogue:
    """The catalogue in a file that a person wrote; `ConfigError` lists every fault in it."""
    return structure_catalogue(read_text(path, what="catalogue"), document=str(path))


def structure_catalogue(text: str, *, document: str) -> Catalogue:
    """The catalogue that a TOML text spells, what it includes taken in after its own rules.

    Raises `ConfigError` with every fault at once, whether of shape or of sense.
    """
    return _with_included(
        structure_and_judge(
            document_of(text, document=document),
            Catalogue,
            _faults_of,
            document=document,
            converter=_converter(),
            hangs_on=_hangs_on,
        )
    )


def _faults_of(catalogue: Catalogue) -> Iterator[Fault]:
    for path, message in (*catalogue_faults(catalogue), *_include_faults(catalogue.include)):
        yield Fault(path, message)


def _hangs_on(path: str, places: Iterable[str]) -> bool:
    """Whether what is said of ``path`` may come of a faulty place that was mended elsewhere."""
    return any(
        _INDEX.sub("", path[len(scope) :]).rpartition(".")[2] in _HANGING[key]
        for place in places
        for scope, key in (_scope_of(place),)
        if key in _HANGING and path.startswith(scope)
    )


def _scope_of(place: str) -> tuple[str, str]:
    """The table that a faulty key stands in, and the key; a service is of the whole document."""
    last = place.rpartition(".")[2]
    key = _INDEX.sub("", last)
    return "" if key == "service" else place.removesuffix(last), key


def shipped_catalogues() -> Mapping[str, Catalogue]:
    """The catalogues that ship with the library, by name: public facts, and examples."""
    return {name: shipped_catalogue(name) for name in _texts()}


@cache
def shipped_catalogue(name: str) -> Catalogue:
    """The shipped catalogue called ``name``; `UsageError` names the nearest when there is none."""
    _require_shipped(name)
    return structure_catalogue(_texts()[name], document=f"{name}{_SUFFIX}")


def shipped_catalogue_text(name: str) -> str:
    """The file of the shipped catalogue called ``name``, to begin one's own with."""
    _require_shipped(name)
    return _texts()[name]


@cache
def _texts() -> Mapping[str, str]:
    folder = files("hkex_ops.reports").joinpath("data")
    return {
        entry.name.removesuffix(_SUFFIX): entry.read_text(encoding="utf-8")
        for entry in sorted(folder.iterdir(), key=lambda one: one.name)
        if entry.name.endswith(_SUFFIX)
    }


def _require_shipped(name: str) -> None:
    if name not in _texts():
        raise UsageError(
            f"no catalogue of the name {name!r} ships; {nearest(name, list(_texts()))}"
        )


def _converter() -> Converter:
    converter = make_converter()
    add_dates(converter)

    def cut_off(value: object, _: object) -> CutOff:
        if not isinstance(value, str):
            raise ValueError(f"must be a text, not {said(value)}")
        return CutOff.parse(value)

    converter.register_structure_hook(CutOff, cut_off)
    return converter


def _include_faults(includes: Sequence[Include]) -> Iterator[tuple[str, str]]:
    for index, one in enumerate(includes):
        if one.catalogue not in _texts():
            hint = nearest(one.catalogue, list(_texts()))
            yield f"include[{index}].catalogue", f"no such catalogue ships; {hint}"
        elif shipped_catalogue(one.catalogue).example:
            yield (
                f"include[{index}].catalogue",
                f"{one.catalogue} is an example, and no fact about a service: write it out with "
                f"hkex-ops reports catalogue show {one.catalogue}, and put your own in",
            )


def _with_included(catalogue: Catalogue) -> Catalogue:
    reports, ignore, phases = catalogue.reports, catalogue.ignore, catalogue.phases
    for one in catalogue.include:
        other = shipped_catalogue(one.catalogue)
        service = one.service
        reports += tuple(evolve(rule, service=service or rule.service) for rule in other.reports)
        phases += tuple(evolve(phase, service=service or phase.service) for phase in other.phases)
        ignore += other.ignore
    return evolve(catalogue, reports=reports, ignore=ignore, phases=phases)
