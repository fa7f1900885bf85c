"""Runs ``hkex-ops`` for a test: as a process of its own, or in this process for the breadth.

A :class:`Program` has a home of its own, so that no configuration of the person who runs the tests
is seen, and sees only the plug-ins that the test gives it. Whatever ran is :class:`Ended`; a
traceback anywhere fails the test that met it.
"""

from __future__ import annotations

import importlib.metadata
import io
import json
import os
import re
import subprocess
import sysconfig
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import pytest
import stamina
import structlog
from attrs import field, frozen

from hkex_ops.cli.main import run
from hkex_ops.installed import ENTRY_POINT_GROUP
from tests.wheel import CHECKOUT

__all__ = ["HKEX_OPS", "TIMEOUT_S", "Ended", "Program", "require_refused", "times_of"]

HKEX_OPS = Path(sysconfig.get_path("scripts"), "hkex-ops")
TIMEOUT_S = 60

_TIME = re.compile(r"\d{4}-\d\d-\d\dT")

# Put on the path of a process, it hides distributions before anything looks for them.
_HIDING = """\
import importlib.metadata as metadata
every = metadata.distributions
hidden = {hidden!r}
metadata.distributions = lambda **more: (
    one
    for one in every(**more)
    if not one.entry_points.select(group={group!r}) or one.metadata["Name"] not in hidden
)
"""

# Looked for once: to read what is installed takes longer than most commands.
_INSTALLED = tuple(
    one
    for one in importlib.metadata.distributions()
    if one.entry_points.select(group=ENTRY_POINT_GROUP)
)


@frozen
class Ended:
    """A command that has ended."""

    code: int
    stdout: str
    stderr: str

    def __attrs_post_init__(self) -> None:
        assert "Traceback" not in self.stdout + self.stderr, self.stderr

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on stdout; anything beside it fails."""
        assert self.stdout.endswith("}\n")
        return cast("dict[str, Any]", json.loads(self.stdout))

    @property
    def words(self) -> str:
        """What was said on stdout, however its lines were broken."""
        return " ".join(self.stdout.split())

    @property
    def message(self) -> str:
        """The one line on stderr that says what is wrong; nothing else may be there."""
        assert self.stderr.startswith("hkex-ops: "), self.stderr
        assert 1 == len(self.stderr.splitlines()), self.stderr
        return self.stderr.removeprefix("hkex-ops: ").rstrip("\n")


@frozen
class Program:
    """``hkex-ops`` in the home ``home``, which is its working folder too.

    ``path`` are folders with more distributions; of the plug-ins that are installed only those in
    ``plugins`` are seen.
    """

    home: Path
    path: tuple[Path, ...] = ()
    plugins: frozenset[str] = frozenset()
    more: Mapping[str, str] = field(factory=dict[str, str])

    def environment(self) -> dict[str, str]:
        """What a process sees, and nothing of this process's own."""
        hiding = self.home.parent / f"{self.home.name}-hiding"
        hiding.mkdir(exist_ok=True)
        names = {one.metadata["Name"] for one in _INSTALLED} - self.plugins
        text = _HIDING.format(hidden=sorted(names), group=ENTRY_POINT_GROUP)
        (hiding / "sitecustomize.py").write_text(text, encoding="utf-8")
        seen = [hiding, *self.path, *([CHECKOUT] if self.path else [])]
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "COLUMNS": "100",
            "LANG": "C.UTF-8",
            "TERM": "dumb",
            "PYTHONPATH": os.pathsep.join(map(str, seen)),
            **self.more,
        }

    def run(self, *arguments: str | Path, stdin: int = subprocess.DEVNULL) -> Ended:
        """Run a command line as a process."""
        done = subprocess.run(
            [HKEX_OPS, *arguments],
            cwd=self.home,
            env=self.environment(),
            stdin=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT_S,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def here(self, *arguments: str | Path) -> Ended:
        """Run a command line in this process, as if it were one of its own."""
        stdout, stderr = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch:
            for name in ("HKEX_OPS_CONFIG", "XDG_CONFIG_HOME"):
                patch.delenv(name, raising=False)
            for name, value in {"HOME": str(self.home), "COLUMNS": "100", **self.more}.items():
                patch.setenv(name, value)
            patch.chdir(self.home)
            for folder in self.path:
                patch.syspath_prepend(str(folder))
            patch.setattr("hkex_ops.installed.distributions", self._seen)
            # Three attempts stay three attempts; only nobody waits between them.
            stamina.set_testing(True, attempts=100, cap=True)
            try:
                with redirect_stdout(stdout), redirect_stderr(stderr):
                    code = run([str(argument) for argument in arguments])
            finally:
                stamina.set_testing(False)
                structlog.reset_defaults()
        return Ended(code, stdout.getvalue(), stderr.getvalue())

    def _seen(self) -> Iterator[importlib.metadata.Distribution]:
        yield from importlib.metadata.distributions(path=[str(folder) for folder in self.path])
        yield from (one for one in _INSTALLED if one.metadata["Name"] in self.plugins)


def require_refused(ended: Ended, code: int, kind: str, *said: str) -> str:
    """The command was refused as HOUSE.md wants it, in one sentence that holds ``said``.

    Works for both forms: with ``--json`` stdout carries the error, without it nothing.
    """
    assert code == ended.code, ended
    message = ended.message
    if ended.stdout:
        assert {"error": {"kind": kind, "message": message}} == ended.document
        # For whoever reads the lines of a command that runs on.
        assert 1 == ended.stdout.count("\n")
    for words in said:
        assert words in message
    return message


def times_of(document: object) -> list[datetime]:
    """Every time in a document; each one states its offset."""
    return [datetime.fromisoformat(text) for text in _texts(document) if _TIME.match(text)]


def _texts(document: object) -> Iterable[str]:
    if isinstance(document, str):
        yield document
    elif isinstance(document, Mapping):
        for value in cast("Mapping[str, object]", document).values():
            yield from _texts(value)
    elif isinstance(document, Sequence):
        for value in cast("Sequence[object]", document):
            yield from _texts(value)
