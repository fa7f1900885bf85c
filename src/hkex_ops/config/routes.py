"""The routing file and files of wordings: every fault at once, each with its path."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import cache
from importlib.resources import files
from pathlib import Path

from hkex_ops.config.stated import add_dates
from hkex_ops.config.structuring import (
    document_of,
    in_order,
    make_converter,
    read_text,
    structure,
)
from hkex_ops.errors import ConfigError, Fault
from hkex_ops.notifications import (
    Routing,
    Template,
    Templates,
    TemplatesFile,
    faults_of_routing,
    faults_of_templates,
)

__all__ = ["load_routing", "load_templates", "shipped_templates"]


def load_routing(path: Path, notifiers: Collection[str] | None = None) -> Routing:
    """The routing in ``path``; `ConfigError` lists every fault of it.

    ``notifiers`` are those of the configuration, where there is one to compare it with.
    """
    document = str(path)
    table = document_of(read_text(path, what="routing file"), document=document)
    converter = make_converter()
    add_dates(converter)
    routing = structure(table, Routing, document=document, converter=converter)
    _refuse(faults_of_routing(routing, notifiers), document)
    return routing


def load_templates(paths: Iterable[Path]) -> Templates:
    """The shipped wordings and those in ``paths``; `ConfigError` lists every fault of a file."""
    wordings = list(shipped_templates())
    for path in paths:
        own = _wordings(read_text(path, what="file of wordings"), str(path))
        _refuse(faults_of_templates(own, wordings), str(path))
        wordings += own
    return Templates(wordings)


@cache
def shipped_templates() -> tuple[Template, ...]:
    """The wordings that ship with the library."""
    shipped = files("hkex_ops.notifications").joinpath("data", "templates.toml")
    return _wordings(shipped.read_text(encoding="utf-8"), "templates.toml")


def _wordings(text: str, document: str) -> tuple[Template, ...]:
    table = document_of(text, document=document)
    return structure(table, TemplatesFile, document=document).templates


def _refuse(faults: Iterable[tuple[str, str]], document: str) -> None:
    found = [Fault(path, message) for path, message in faults]
    if found:
        raise ConfigError(in_order(found), document=document)
