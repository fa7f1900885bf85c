"""``hkex-ops oapi``: a licensee's header into a file of layouts, and such a file judged."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from hkex_ops.cli.answer import Answer, ExitCode
from hkex_ops.cli.options import Json
from hkex_ops.errors import ConfigError, Fault, UsageError
from hkex_ops.flows.outputs import write_new_file
from hkex_ops.model import plain
from hkex_ops_oapi.headers import Codes, Converted, convert_header
from hkex_ops_oapi.layout_files import (
    JSON_SUFFIX,
    TOML_SUFFIX,
    format_layouts,
    load_layouts,
    read_codes,
)
from hkex_ops_oapi.layouts import Layouts, faults_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

__all__ = ["app", "check", "layouts"]

app = App(name="oapi", help="Layouts of messages, from the header that you license.")

HEADER_BYTES_MOST = 16 * 1024 * 1024


@app.command
def layouts(
    header: Path,
    /,
    *,
    output: Annotated[
        Path,
        Parameter(
            name=["--output", "-o"], help="File to write, .toml or .json, which must be new."
        ),
    ],
    codes: Annotated[
        Path | None,
        Parameter(help="TOML file that says which record is which message, where no comment does."),
    ] = None,
    json: Json = False,
) -> Answer:
    """Turn a header of messages into a file of layouts, on this machine.

    Nothing of the header but names and sizes goes into the file.

    Parameters
    ----------
    header
        The header of the exchange's own messages, as the licensed kit brings it.
    """
    if output.suffix not in (JSON_SUFFIX, TOML_SUFFIX):
        raise UsageError(f"{output} must end in {TOML_SUFFIX} or {JSON_SUFFIX}: that is its format")
    raw = _read(header)
    told = Codes({}, {}) if codes is None else read_codes(codes)
    source = f"{header.name}, sha256 {hashlib.sha256(raw).hexdigest()}"
    text = raw.decode("utf-8", errors="replace")
    converted = convert_header(text, document=str(header), source=source, codes=told)
    faults = [Fault(path, message) for path, message in faults_of(converted.layouts)]
    if faults:
        raise ConfigError(faults, document=str(header))
    is_json = output.suffix == JSON_SUFFIX
    write_new_file(output, format_layouts(converted.layouts, as_json=is_json).encode())
    count = len(converted.layouts.records)
    return Answer(
        {
            "file": str(output),
            "source": source,
            "records": count,
            "codes": _codes(converted.layouts),
            "notes": list(converted.notes),
        },
        lambda console: _render_layouts(output, converted, console),
    )


@app.command
def check(file: Path, /, *, json: Json = False) -> Answer:
    """Judge a file of layouts: every fault at once, with its path. Exits 1 when there is one.

    Parameters
    ----------
    file
        The TOML or JSON file, made by `hkex-ops oapi layouts` or by hand.
    """
    found: Layouts | None = None
    faults: Sequence[Fault] = ()
    try:
        found = load_layouts(file)
    except ConfigError as error:
        if not error.document:  # no file that could be judged
            raise
        faults = error.faults
    return Answer(
        {
            "file": str(file),
            "records": None if found is None else len(found.records),
            "codes": [] if found is None else _codes(found),
            "faults": [plain(fault) for fault in faults],
        },
        lambda console: _render_check(file, found, faults, console),
        ExitCode.FINDINGS if faults else ExitCode.DONE,
    )


def _read(header: Path) -> bytes:
    try:
        with header.open("rb") as file:
            raw = file.read(HEADER_BYTES_MOST + 1)
    except FileNotFoundError:
        raise ConfigError(f"there is no header at {header}: name the kit's own") from None
    except OSError as error:
        raise ConfigError(f"header {header} cannot be read: {error.strerror}") from error
    if len(raw) > HEADER_BYTES_MOST or b"\0" in raw:
        raise ConfigError(f"{header} is no header: name the text file with the messages")
    return raw


def _codes(layouts: Layouts) -> list[str]:
    return sorted(code for record in layouts.records.values() for code in record.codes)


def _render_layouts(output: Path, converted: Converted, console: Console) -> None:
    from hkex_ops.cli.text import say

    codes = _codes(converted.layouts)
    say(console, f"{output}: {len(converted.layouts.records)} records, {len(codes)} messages")
    for note in converted.notes:
        say(console, f"look at this: {note}")


def _render_check(
    file: Path, layouts: Layouts | None, faults: Sequence[Fault], console: Console
) -> None:
    from hkex_ops.cli.text import say, say_count

    if layouts is not None:
        say(console, f"{file}: {len(layouts.records)} records, {len(_codes(layouts))} messages")
    for fault in faults:
        say(console, str(fault))
    if faults:
        say(console, say_count(len(faults), "fault"))
