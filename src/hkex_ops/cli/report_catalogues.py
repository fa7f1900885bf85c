"""``hkex-ops reports catalogue``: judge a catalogue file, see those that ship, begin one's own."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from hkex_ops.cli.answer import Answer, ExitCode
from hkex_ops.cli.options import Json
from hkex_ops.cli.text import say, say_count
from hkex_ops.config.catalogues import (
    shipped_catalogue,
    shipped_catalogue_text,
    shipped_catalogues,
    structure_catalogue,
)
from hkex_ops.config.structuring import read_text
from hkex_ops.errors import ConfigError, Fault, UsageError
from hkex_ops.flows.outputs import write_new_file
from hkex_ops.model import JsonObject, plain
from hkex_ops.reports import Catalogue

__all__ = ["CatalogueAct", "catalogue"]


class CatalogueAct(StrEnum):
    """What may be done with catalogues."""

    CHECK = "check"
    LIST = "list"
    SHOW = "show"


def catalogue(
    act: CatalogueAct,
    what: str | None = None,
    /,
    *,
    output: Annotated[
        Path | None,
        Parameter(
            name=["--out", "--output", "-o"], help="File to write, which must be new; else stdout."
        ),
    ] = None,
    json: Json = False,
) -> Answer:
    """Judge a catalogue file, list the catalogues that ship, or give the file of one.

    A check tells every fault at once, each with its place, and exits 1 when there is one.

    Parameters
    ----------
    act
        check, list or show.
    what
        The file to check, or the name of the catalogue to show.
    """
    if output is not None and act is not CatalogueAct.SHOW:
        raise UsageError(f"{act.value} writes no file: leave --out out")
    match act:
        case CatalogueAct.LIST:
            return _list()
        case CatalogueAct.SHOW if what is not None:
            return _show(what, output)
        case CatalogueAct.CHECK if what is not None:
            return _check(Path(what))
        case _:
            raise UsageError(f"{act.value} wants to know what: name a file or a catalogue")


def _list() -> Answer:
    shipped = shipped_catalogues()
    document: JsonObject = {
        "catalogues": [
            {
                "name": name,
                "title": one.title,
                "example": one.example,
                "services": list(dict.fromkeys(rule.service for rule in one.reports)),
                "rules": len(one.reports),
            }
            for name, one in shipped.items()
        ]
    }

    def render(console: Console) -> None:
        for name, one in shipped.items():
            kind = "example" if one.example else "facts"
            say(console, one.title.removeprefix("EXAMPLE: "), lead=f"{name:<19} {kind:<8} ")

    return Answer(document, render)


def _show(name: str, output: Path | None) -> Answer:
    text = shipped_catalogue_text(name)
    document: JsonObject = {
        "name": name,
        "example": shipped_catalogue(name).example,
        "file": None if output is None else str(output),
        "text": text,
    }
    if output is None:
        return Answer(
            document,
            lambda console: console.print(
                text, end="", markup=False, emoji=False, highlight=False, soft_wrap=True
            ),
        )
    write_new_file(output, text.encode())
    return Answer(document, lambda console: say(console, f"{output} written: put your own in"))


def _check(file: Path) -> Answer:
    text = read_text(file, what="catalogue")
    found: Catalogue | None = None
    faults: tuple[Fault, ...] = ()
    try:
        found = structure_catalogue(text, document=str(file))
    except ConfigError as error:
        faults = error.faults or (Fault("", str(error)),)
    return Answer(
        {
            "file": str(file),
            "title": None if found is None else found.title,
            "rules": None if found is None else len(found.reports),
            "faults": [plain(fault) for fault in faults],
        },
        lambda console: _render_check(file, found, faults, console),
        ExitCode.FINDINGS if faults else ExitCode.DONE,
    )


def _render_check(
    file: Path, found: Catalogue | None, faults: Sequence[Fault], console: Console
) -> None:
    if found is None:
        say(console, f"{file} has {say_count(len(faults), 'fault')}")
        for fault in faults:
            say(console, fault.message, lead=f"  {fault.path}: " if fault.path else "  ")
        return
    rules, unconfirmed = len(found.reports), sum(not one.confirmed for one in found.reports)
    say(
        console,
        f"{file} is sound: {say_count(rules, 'rule')}, {unconfirmed} of them not confirmed"
        f"{', an EXAMPLE' if found.example else ''}",
    )
