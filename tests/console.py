"""Runs the console blocks of the documentation: ``$ hkex-ops ...`` and what it should print.

A block's commands run in the page's own empty folder, which is home and working folder both, so
that nothing of the person's own configuration is seen. Standard output and standard error are
compared together, as a terminal shows them; ``...`` stands for anything. A command that does not
exit 0 must be followed by ``$ echo $?``: the reader is told, and the code is checked.

A hidden block of a page may set ``at``, an ISO 8601 time: the commands after it run as if it were
that time, for what is done on one day only; and ``environment``, more variables that they see.
"""

from __future__ import annotations

import doctest
import os
import shlex
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from sybil import Example

from tests.cli import working_child

__all__ = ["close_console", "evaluate_console", "open_console", "run_console_block"]

_PROMPT = "$ "
_STATUS = "echo $?"
_TIMEOUT_S = 120
_COLUMNS = 100


def open_console(namespace: dict[str, object]) -> None:
    """Give the page an empty folder; its hidden blocks know it as ``here``, and may set
    ``pretended_at``, the time that it is to its commands, and the ``environment`` that they see."""
    folder = TemporaryDirectory(prefix="hkex-ops-docs-")
    namespace["_folder"] = folder
    namespace["here"] = Path(folder.name)


def close_console(namespace: dict[str, object]) -> None:
    """Take the page's folder away."""
    folder = namespace["_folder"]
    assert isinstance(folder, TemporaryDirectory)
    folder.cleanup()


def evaluate_console(example: Example) -> str | None:
    """The difference between what a block says and what happened; ``None`` when there is none."""
    here = example.namespace["here"]
    assert isinstance(here, Path)
    at, environment = (example.namespace.get(name) for name in ("pretended_at", "environment"))
    assert at is None or isinstance(at, str)
    assert environment is None or isinstance(environment, dict)
    return run_console_block(str(example.parsed), here, at=at, environment=environment)


def run_console_block(
    block: str,
    here: Path,
    *,
    at: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> str | None:
    """Run a block's commands in ``here``; the first difference as a text, or ``None``.

    ``at`` is the time that it is to them, if not the true one; they see ``environment`` besides.
    """
    pending = 0
    for command, expected in _commands(block):
        if command == _STATUS:
            output, pending = f"{pending}\n", 0
        elif pending:
            break
        else:
            output, pending = _run(command, here, at, environment or {})
        if not doctest.OutputChecker().check_output(expected, output, doctest.ELLIPSIS):
            return f"$ {command}\nexpected:\n{expected}\nprinted:\n{output}"
    if pending:
        return f"a command exited {pending} and the block does not say so with `$ {_STATUS}`"
    return None


def _commands(block: str) -> Iterator[tuple[str, str]]:
    """Each command of a block with the output that follows it."""
    command, expected = "", ""
    for line in block.splitlines(keepends=True):
        if line.startswith(_PROMPT):
            if command:
                yield command, expected
            command, expected = line.removeprefix(_PROMPT).strip(), ""
        elif not command:
            raise ValueError(f"a console block opens with a command, not with {line!r}")
        else:
            expected += line
    if not command:
        raise ValueError("a console block without a command")
    yield command, expected


def _run(
    command: str, here: Path, at: str | None, environment: Mapping[str, str]
) -> tuple[str, int]:
    program, *arguments = shlex.split(command)
    if program != "hkex-ops":
        raise ValueError(f"a console block runs hkex-ops, not {program}")
    words: list[str | Path] = [Path(sysconfig.get_path("scripts"), program)]
    if at is not None:
        words = [sys.executable, Path(working_child.__file__), at]
    done = subprocess.run(
        [*words, *arguments],
        cwd=here,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(here),
            "COLUMNS": str(_COLUMNS),
            "LANG": "C.UTF-8",
            "NO_COLOR": "1",
            "TERM": "dumb",
            **environment,
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=_TIMEOUT_S,
    )
    return "".join(f"{line.rstrip()}\n" for line in done.stdout.splitlines()), done.returncode
