"""A rehearsal of 22 January 2010 that is ended before its end leaves evidence that says so."""

from __future__ import annotations

import io
import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import time
from pathlib import Path

import pytest
from rich.console import Console

from hkex_ops.config.shipped import load_calendar, load_incidents
from hkex_ops.flows.evidence import verify_evidence
from hkex_ops_simulator.hsil.staging import Make, rehearse_incident
from hkex_ops_simulator.screen import Screen
from tests.cli.program import HKEX_OPS, TIMEOUT_S, Program

PLUGINS = frozenset({"hkex-ops-simulator"})


@pytest.fixture
def program(tmp_path: Path) -> Program:
    home, scratch = tmp_path / "home", tmp_path / "scratch"
    home.mkdir()
    scratch.mkdir()
    return Program(home, plugins=PLUGINS, more={"TMPDIR": str(scratch)})


@contextmanager
def begun(program: Program) -> Iterator[subprocess.Popen[str]]:
    """A rehearsal into ``proof``, as a process whose first step has ended."""
    process = subprocess.Popen(
        [HKEX_OPS, "rehearse", "hsil-2010", "--out", "proof"],
        cwd=program.home,
        env=program.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process:
        assert any("engines-up" in line for line in process.stdout)
        yield process


def require_interrupted(folder: Path) -> None:
    """It verifies, says that it was interrupted, and holds what had ended."""
    assert () == verify_evidence(folder).findings
    kept = json.loads((folder / "data" / "rundown.json").read_text("utf-8"))
    assert "interrupted" == kept["outcome"]
    assert ("engines-up", "passed") == (kept["steps"][0]["step"], kept["steps"][0]["outcome"])
    page = (folder / "data" / "summary.html").read_text("utf-8")
    assert "INTERRUPTED" in page
    last = json.loads((folder / "data" / "events.jsonl").read_text("utf-8").splitlines()[-1])
    assert "run-interrupted" == last["kind"]
    assert "as-it-was-close/golden-values" in last["body"]["not_come_to"]


@pytest.mark.parametrize(
    ("told_by", "code", "words"),
    [(signal.SIGINT, 130, "hkex-ops: interrupted"), (signal.SIGTERM, 143, "")],
)
def test_ended_from_outside_it_closes_its_evidence(
    program: Program, told_by: signal.Signals, code: int, words: str
) -> None:
    with begun(program) as process:
        process.send_signal(told_by)
        rest, errors = process.communicate(timeout=TIMEOUT_S)
    assert code == process.returncode
    assert words in errors
    assert "Traceback" not in errors
    assert "evidence of them in proof.interrupted" in " ".join(rest.split())
    assert ["proof.interrupted"] == [path.name for path in program.home.iterdir()]
    require_interrupted(program.home / "proof.interrupted")


async def test_what_a_killed_one_left_is_closed_by_the_next(program: Program) -> None:
    with begun(program) as process:
        process.kill()
        process.communicate(timeout=TIMEOUT_S)
    assert ["proof.partial"] == [path.name for path in program.home.iterdir()]
    incident = load_incidents(load_calendar())["hsil-2010"]
    screen = Screen(shown := Console(file=io.StringIO(), width=200))
    target = program.home / "proof"
    await rehearse_incident(incident, Make.TODAY, target, screen, seed=1, until=time(10, 1))
    assert isinstance(shown.file, io.StringIO)
    assert "an earlier rehearsal was interrupted" in shown.file.getvalue()
    assert ["proof", "proof.interrupted"] == sorted(path.name for path in program.home.iterdir())
    require_interrupted(program.home / "proof.interrupted")
    assert () == verify_evidence(target).findings
