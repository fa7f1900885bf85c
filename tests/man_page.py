"""The manual page ``hkex-ops(1)``, written from the reference page of the commands.

What many commands share is told once. ``python -m tests.reference_pages`` writes it, as it writes
the pages of the documentation, and a test compares.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from attrs import Factory, define

from tests.command_pages import commands_page

__all__ = ["man_page"]

SHARED_BY = 8
"""An option that so many commands have, in the same words, is told once for all."""

_HEAD = r"""
.\" Written from the code by python -m tests.reference_pages.
.TH HKEX-OPS 1 "" "hkex-ops" "Operations of Hong Kong exchange participants"
.nh
.ad l
.SH NAME
hkex-ops \- what a circular demands, done and proven
.SH SYNOPSIS
.B hkex-ops
.I command
.RI [ options ]
.PP
.B hkex-ops
.I command
.B \-\-help
.SH DESCRIPTION
Circulars of an exchange, kept as data, answer four questions of a desk: what must I do next, may I
do this now, where must my client point, what can I show afterwards. Plug-ins do the work; proof is
kept of it.
.PP
Times are ISO 8601; without an offset they are Hong Kong's. Answers go to standard output, progress
and logs to standard error. Commands of plug-ins are shown by
.BR "hkex-ops \-\-help" .
"""

_TAIL = r"""
.SH EXIT STATUS
.TP
.B 0
Done, and all is well.
.TP
.B 1
Done, with findings: a missing report, a difference, a step that failed.
.TP
.B 2
The question makes no sense: an unknown action, site or code, a date outside the tables.
.TP
.B 3
A rule denies it now.
.TP
.B 4
The other side is not available.
.TP
.B 5
The other side refused.
.TP
.B 6
Configuration, plug-in or store must be mended.
.SH ENVIRONMENT
.TP
.B HKEX_OPS_CONFIG
The configuration file, where
.B \-\-config
does not name one.
.TP
.B NO_COLOR
Where it is set, nothing is coloured.
.SH FILES
.TP
.I ~/.config/hkex\-ops/config.toml
The user's own configuration.
.TP
.I ~/.local/state/hkex\-ops/work
The journals of worked sessions, unless the configuration names another folder.
"""

Option = tuple[str, str]


@define
class _Command:
    """A command or a noun, as its part of the reference page tells it."""

    words: str
    paragraphs: list[str] = Factory(list)
    options: list[Option] = Factory(list)


def man_page() -> str:
    """The manual page of the core's commands."""
    commands = list(_commands(commands_page().splitlines()))
    shared = _shared(commands)
    lines = [_HEAD.strip(), ".SH COMMANDS"]
    for command in commands:
        lines += _told(command, shared)
    lines += [".SH OPTIONS THAT MANY COMMANDS SHARE", *_options(sorted(shared))]
    return "\n".join((*lines, _TAIL.strip())) + "\n"


def _shared(commands: Sequence[_Command]) -> list[Option]:
    """The options that are told once: none that is wanted, and of each name one meaning only."""
    often = Counter(
        (name, said)
        for one in commands
        for name, said in one.options
        if name.startswith("-") and not said.endswith(" Wanted.")
    )
    meanings = {name: (name, said) for (name, said), _ in reversed(often.most_common())}
    return [option for option in meanings.values() if often[option] >= SHARED_BY]


def _commands(lines: Sequence[str]) -> Iterator[_Command]:
    command: _Command | None = None
    for line in lines:
        if heading := re.fullmatch(r"#{2,} `(.+)`", line):
            if command is not None:
                yield command
            command = _Command(heading[1])
        elif command is None or not line:
            continue
        elif option := re.fullmatch(r"- (`.+?`): (.+)", line):
            command.options.append((option[1].replace("`", ""), option[2]))
        else:
            command.paragraphs.append(line)
    if command is not None:
        yield command


def _told(command: _Command, shared: Sequence[Option]) -> Iterator[str]:
    yield f".SS {_roff(command.words)}"
    yield "\n.PP\n".join(_roff(paragraph) for paragraph in command.paragraphs)
    yield from _options([option for option in command.options if option not in shared])
    also = [_bold(option[0]) for option in command.options if option in shared]
    if also:
        yield ".PP"
        yield f"Also {', '.join(also)}."


def _options(options: Sequence[Option]) -> Iterator[str]:
    for name, said in options:
        yield ".TP"
        yield _bold(name)
        yield _roff(said)


def _bold(name: str) -> str:
    return rf"\fB{_plain(name)}\fP"


def _roff(text: str) -> str:
    """A line of the reference page: code is bold, and nothing is taken for a request."""
    parts = re.split(r"`([^`]*)`", re.sub(r"\\([<*\[])", r"\1", text))
    parts = [_bold(part) if place % 2 else _plain(part) for place, part in enumerate(parts)]
    line = "".join(parts)
    return rf"\&{line}" if line[:1] in (".", "'") else line


def _plain(text: str) -> str:
    return text.replace("\\", r"\e").replace("-", r"\-")
