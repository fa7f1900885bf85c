"""A shell that was given the script completes commands and options."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import attrs
import pytest

from tests.cli.folder_source import install
from tests.cli.program import Program, require_refused

OFFERS_COMMAND = """\
from hkex_ops.hookspecs import hookimpl
from hkex_ops.ports import CommandOffer
@hookimpl
def hkex_ops_commands():
    return [CommandOffer("greet", "nowhere_at_all:greet", "Greet")]
"""

ASK = """\
source ./hkex-ops.sh
COMP_WORDS=({words} "{begun}"); COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 ))
_hkex_ops
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the script for bash lies."""
    folder = tmp_path_factory.mktemp("completion")
    ended = Program(folder).here("completion", "bash")
    assert (0, "") == (ended.code, ended.stderr)
    (folder / "hkex-ops.sh").write_text(ended.stdout, encoding="utf-8")
    return folder


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
@pytest.mark.parametrize(
    ("words", "begun", "completed"),
    [
        ("hkex-ops", "cal", ["calendar"]),
        ("hkex-ops reports", "ver", ["verify"]),
        ("hkex-ops reports fetch", "--bus", ["--business-date"]),
        ("hkex-ops rollouts show", "--so", ["--sources"]),
        ("hkex-ops completion", "z", ["zsh"]),
    ],
)
def test_bash_completes(folder: Path, words: str, begun: str, completed: list[str]) -> None:
    done = subprocess.run(
        ["bash", "--norc", "-c", ASK.format(words=words, begun=begun)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ("", completed) == (done.stderr, done.stdout.split())


@pytest.mark.parametrize(
    ("shell", "opening"), [("zsh", "#compdef hkex-ops"), ("fish", "# Fish completion")]
)
def test_other_shells_get_a_script_too(program: Program, shell: str, opening: str) -> None:
    ended = program.here("completion", shell)
    assert 0 == ended.code
    assert ended.stdout.startswith(opening)
    assert "business-date" in ended.stdout


def test_in_json_the_script_is_a_text(program: Program) -> None:
    document = program.here("completion", "fish", "--json").document
    assert ["shell", "script"] == list(document)
    assert "fish" == document["shell"]


def test_a_plugin_that_cannot_be_imported_is_left_out(program: Program, tmp_path: Path) -> None:
    """The rest completes, and stderr names whose it is."""
    install(tmp_path / "more", "greeting-plugin", text=OFFERS_COMMAND)
    seeing = attrs.evolve(program, path=(tmp_path / "more",))
    ended = seeing.run("completion", "bash")
    assert 0 == ended.code
    assert "greeting-plugin" in ended.message
    assert "greet" not in ended.stdout
    assert "business-date" in ended.stdout


def test_a_shell_that_is_not_known_is_refused(program: Program) -> None:
    require_refused(program.here("completion", "tcsh"), 2, "UsageError", "bash")
