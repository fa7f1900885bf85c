"""What a command gives back, and how it reaches a person or a program.

A command of a plug-in returns the same: one document for ``--json``, one rendering for a person,
one exit code.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from enum import IntEnum
from typing import TYPE_CHECKING

from attrs import frozen

from hkex_ops.model import JsonObject

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Answer", "ExitCode", "print_answer", "print_json"]


class ExitCode(IntEnum):
    """What a program may conclude from a command's end."""

    DONE = 0  # done and all is well
    FINDINGS = 1  # done, with findings
    USAGE = 2  # the question makes no sense
    DENIED = 3  # a rule forbids it
    UNAVAILABLE = 4  # the other side is not there
    REFUSED = 5  # the other side said no
    FAULT = 6  # configuration, plug-in or store


@frozen
class Answer:
    """A command's result. ``render`` writes it for a person; no colour decides its meaning."""

    document: JsonObject
    render: Callable[[Console], None]
    exit_code: ExitCode = ExitCode.DONE


def print_answer(answer: Answer, *, as_json: bool) -> None:
    """One document on stdout and nothing else, or the rendering for a person."""
    if as_json:
        print_json(answer.document)
        return
    from rich.console import Console

    answer.render(Console(highlight=False, soft_wrap=False))


def print_json(document: JsonObject, *, on_one_line: bool = False) -> None:
    """``document`` on stdout, Chinese as Chinese, keys in the order they were made."""
    indent = None if on_one_line else 2
    text = json.dumps(document, ensure_ascii=False, indent=indent)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        # A name that is no UTF-8, or a stdout that is not: JSON has an escape for every sign.
        text = json.dumps(document, indent=indent)
    sys.stdout.write(text + "\n")
