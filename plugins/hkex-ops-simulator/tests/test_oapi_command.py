"""``hkex-ops simulator clearing`` as a process, and what a second terminal does with its folder."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from oapi_calls import needs_compiler

from hkex_ops.cli.main import run
from hkex_ops.errors import ConfigError
from hkex_ops.flows.plugged import load_plugins
from hkex_ops_simulator.oapi import command

PROGRAM = (sys.executable, "-c", "from hkex_ops.cli.main import main; main()")
ENDS_WITHIN_S = 10


@contextmanager
def running(folder: Path, *options: str) -> Generator[dict[str, Any], None, None]:
    """A house in a box, up until the body has ended; it then ends well."""
    arguments = ("simulator", "clearing", "--json", "--folder", str(folder), *options)
    with subprocess.Popen([*PROGRAM, *arguments], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
            process.send_signal(signal.SIGTERM)
            assert 0 == process.wait(ENDS_WITHIN_S)
        finally:
            process.kill()


@needs_compiler
def test_a_second_terminal_fetches_and_compares(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with running(tmp_path / "box", "--differ", "--seed", "5") as told:
        assert ("2019-05-03", 2) == (told["business_date"], len(told["sites"]["primary"]))
        for kind, breaks in (("trades", 2), ("positions", 1)):
            arguments = ("clearing", "reconcile", "--kind", kind, "--json")
            code = run([*arguments, "--ours", told["ours"][kind], "--config", told["config"]])
            tally = json.loads(capsys.readouterr().out)["tally"]
            assert (1, breaks) == (code, tally["breaks"])
        assert 0 == run(["clearing", "fetch", "--json", "--config", told["config"]])
    assert {"trades-2019-05-03.csv", "positions-2019-05-03.csv"} <= {
        one.name for one in tmp_path.iterdir()
    }


@needs_compiler
def test_the_header_in_the_folder_is_one_that_is_converted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with running(tmp_path / "box") as told:
        out = tmp_path / "again.toml"
        assert 0 == run(["oapi", "layouts", told["header"], "-o", str(out)])
        assert 0 == run(["oapi", "check", told["layouts"]])


def test_a_folder_with_a_configuration_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.toml").write_text("# mine")
    assert 6 == run(["simulator", "clearing", "--folder", str(tmp_path)])
    assert "overwrites nothing" in " ".join(capsys.readouterr().err.split())
    assert ["config.toml"] == [one.name for one in tmp_path.iterdir()]


def test_without_the_adapter_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "load_plugins", lambda: load_plugins(("hkex_ops_oapi",)))
    with pytest.raises(ConfigError, match="install hkex-ops-oapi"):
        command.clearing(folder=tmp_path / "box")
    assert [] == list(tmp_path.iterdir())


def test_without_a_compiler_it_says_what_to_install_and_makes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    assert 6 == run(["simulator", "clearing", "--folder", str(tmp_path / "box")])
    assert "install gcc and libc6-dev" in " ".join(capsys.readouterr().err.split())
    assert [] == list(tmp_path.iterdir())
