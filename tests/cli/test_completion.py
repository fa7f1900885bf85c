"""A shell that was given the script completes commands and options."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import attrs
import pytest

from tests.cli.folder_source import install
from tests.cli.program import TIMEOUT_S, Program, require_refused

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


def shell(name: str) -> str:
    """The program of a shell that may be missing on a desk's machine, and not where CI runs."""
    found = shutil.which(name)
    if found is None:
        if os.environ.get("HKEX_OPS_REQUIRE_SERVERS") == "1":
            pytest.fail(f"{name} is not installed, and here it must be")
        pytest.skip(f"{name} is not installed: what it completes cannot be asked")
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which the scripts lie."""
    folder = tmp_path_factory.mktemp("completion")
    for name, file in (("bash", "hkex-ops.sh"), ("fish", "hkex-ops.fish"), ("zsh", "_hkex-ops")):
        ended = Program(folder).here("completion", name)
        assert (0, "") == (ended.code, ended.stderr)
        (folder / file).write_text(ended.stdout, encoding="utf-8")
    return folder


def asked(folder: Path, *command: str) -> str:
    """What a shell says in that home."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={"HOME": str(folder), "PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TERM": "dumb"},
        capture_output=True,
        text=True,
        check=True,
        timeout=TIMEOUT_S,
    )
    assert "" == done.stderr
    return done.stdout


COMPLETED = [
    ("hkex-ops", "cal", ["calendar"]),
    ("hkex-ops reports", "ver", ["verify"]),
    ("hkex-ops reports fetch", "--bus", ["--business-date"]),
    ("hkex-ops rollouts show", "--so", ["--sources"]),
    ("hkex-ops completion", "z", ["zsh"]),
]


@pytest.mark.parametrize(("words", "begun", "completed"), COMPLETED)
def test_bash_completes(folder: Path, words: str, begun: str, completed: list[str]) -> None:
    """As the Tab key does: the words so far are put before the function."""
    script = ASK.format(words=words, begun=begun)
    assert completed == asked(folder, shell("bash"), "--norc", "-c", script).split()


@pytest.mark.parametrize(("words", "begun", "completed"), COMPLETED)
def test_fish_completes(folder: Path, words: str, begun: str, completed: list[str]) -> None:
    """With the line of help beside each."""
    script = f"source hkex-ops.fish; complete -C '{words} {begun}'"
    told = asked(folder, shell("fish"), "--no-config", "-c", script)
    assert completed == [line.partition("\t")[0] for line in told.splitlines()]


def test_zsh_takes_the_script_for_its_own(folder: Path) -> None:
    """Found by its name in a folder of ``$fpath``, bound to the program, and read without fault."""
    script = (
        "fpath=($PWD $fpath); autoload -U compinit; compinit -u -D; "
        "print ${_comps[hkex-ops]}; autoload +X _hkex-ops && print read"
    )
    assert ["_hkex-ops", "read"] == asked(folder, shell("zsh"), "-f", "-c", script).split()


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
