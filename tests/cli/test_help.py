"""Help that reads well, loads nothing heavy, and colours nothing where nobody wants colour."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from hkex_ops.cli.tree import COMMANDS, NOUNS as ROOMS
from tests.cli.desk import FRIDAY, Desk
from tests.cli.program import HKEX_OPS, Program, require_refused

# The tree of commands as the program itself states it.
NOUNS = ["", *(noun for noun, _, _ in ROOMS)]
VERBS = [name for name, _, _ in COMMANDS]
VERBS += [f"{noun} {name}" for noun, _, verbs in ROOMS for name, _, _ in verbs]
HEAVY = {"asyncssh", "cattrs", "rich.traceback", "sqlite3", "structlog"}

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
STYLE = re.compile(r"\x1b\[(?:[0-9;]*;)?(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:;[0-9;]*)?m")


def help_of(program: Program, command: str) -> str:
    ended = attrs.evolve(program, more={"COLUMNS": "80"}).here(*command.split(), "--help")
    assert (0, "") == (ended.code, ended.stderr)
    return ended.stdout


@pytest.mark.parametrize("command", NOUNS + VERBS)
def test_help_fits_80_columns(program: Program, command: str) -> None:
    text = help_of(program, command)
    assert text.startswith(f"Usage: hkex-ops {command}".rstrip())
    assert [] == [line for line in text.splitlines() if len(line) > 80]


@pytest.mark.parametrize("command", VERBS)
def test_every_command_has_json(program: Program, command: str) -> None:
    assert "--json" in help_of(program, command)


@pytest.mark.parametrize("command", NOUNS)
def test_help_names_every_command_below_with_a_line_about_it(
    program: Program, command: str
) -> None:
    text = help_of(program, command)
    below = [verb.removeprefix(command).split()[0] for verb in VERBS if verb.startswith(command)]
    assert below
    for name in below:
        assert re.search(rf"^│ {name} +[A-Z]", text, re.MULTILINE), name


def test_help_names_the_commands_of_plugins_that_are_not_installed(program: Program) -> None:
    assert "rehearse" in help_of(program, "")


@pytest.mark.parametrize(
    ("arguments", "unwanted"),
    [
        (["--help"], HEAVY),
        (["--version"], HEAVY),
        (["reports", "--help"], HEAVY),
        (["reports", "fetch", "--help"], {"asyncssh"}),
        (["plugins"], {"asyncssh", "sqlite3"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_needs_nothing_heavy_loads_nothing_heavy(
    program: Program, arguments: list[str], unwanted: set[str]
) -> None:
    """With every plug-in that is installed, as a person has it; asked in a process of its own."""
    code = (
        "import sys\nfrom hkex_ops.cli import main\ntry:\n    main()\nexcept SystemExit:\n"
        f"    print(sorted({unwanted} & sys.modules.keys()), file=sys.stderr)"
    )
    every = attrs.evolve(program, plugins=frozenset({"hkex-ops-sftp", "hkex-ops-simulator"}))
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=program.home,
        env=every.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout
    assert "[]\n" == done.stderr


def test_without_a_command_there_is_help(program: Program) -> None:
    assert program.here().stdout == program.here("--help").stdout


def test_the_version_is_one_line(program: Program) -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*\n", program.here("--version").stdout)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["fetch"], 'Unknown command "fetch"'),
        (["reports", "fetsh"], "fetsh"),
        (["calendar"], "requires an argument"),
        (["calendar", FRIDAY, "--bogus"], "--bogus"),
        (["may"], "requires an argument"),
        (["evidence", "verify"], "requires an argument"),
        (["rollouts", "show"], "requires an argument"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_line_that_is_no_command_exits_2(
    program: Program, arguments: list[str], said: str
) -> None:
    require_refused(program.here(*arguments), 2, "UsageError", said)
    require_refused(program.here(*arguments, "--json"), 2, "UsageError", said)


def at_a_terminal(program: Program, *arguments: str | Path, **more: str) -> str:
    """What a person sees: stdout and stderr are one terminal."""
    ours, theirs = pty.openpty()
    environment = {**program.environment(), "TERM": "xterm-256color", **more}
    with subprocess.Popen(
        [HKEX_OPS, *arguments],
        cwd=program.home,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        seen = b""
        # Linux says EIO when the last writer has closed a terminal.
        try:
            while data := os.read(ours, 65536):
                seen += data
        except OSError:
            pass
        finally:
            os.close(ours)
        assert 0 == process.wait()
    return seen.decode()


FETCHES = ["reports", "fetch", "--verbose", "--business-date", FRIDAY]


@pytest.mark.parametrize("arguments", [["--help"], ["rollouts", "show", "rrs-2023"], FETCHES])
def test_no_color_is_respected_at_a_terminal(desk: Desk, arguments: list[str]) -> None:
    desk.publish_day()
    seen = at_a_terminal(desk.program, *arguments, HKEX_OPS_CONFIG=str(desk.config), NO_COLOR="1")
    assert seen
    assert [] == [code for code in COLOUR.findall(seen) if STYLE.fullmatch(code)]


def test_a_transfer_shows_a_bar_at_a_terminal_and_the_answer_stays(desk: Desk) -> None:
    desk.publish_day()
    seen = at_a_terminal(desk.program, *FETCHES, HKEX_OPS_CONFIG=str(desk.config))
    assert "3 reports" in seen
    assert "3 fetched" in " ".join(COLOUR.sub("", seen).split())


def test_where_there_is_no_terminal_a_transfer_shows_what_wants_an_eye(desk: Desk) -> None:
    """Of what went well only the log that was asked for; and nothing that steers a terminal."""
    desk.publish_day()
    ended = desk.program.run(*FETCHES, "--config", desk.config)
    assert [] == [sign for sign in "\x1b\r" if sign in ended.stdout + ended.stderr]
    assert [True] * 3 == ["report_kept" in line for line in ended.stderr.splitlines()]


@pytest.mark.parametrize("arguments", [["rollouts", "show", "rrs-2023"], ["--help"]])
@pytest.mark.parametrize("more", [[], ["--json"]])
def test_a_reader_that_goes_away_is_no_fault(
    program: Program, arguments: list[str], more: list[str]
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [HKEX_OPS, *arguments, *more],
        cwd=program.home,
        env=program.environment(),
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writing)
    assert (141, b"") == (done.returncode, done.stderr)


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_an_answer_that_cannot_be_written_exits_6(program: Program, more: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [HKEX_OPS, "rollouts", "show", "rrs-2023", *more],
            cwd=program.home,
            env=program.environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert 6 == done.returncode
    assert ["hkex-ops: standard output: cannot be written"] == [
        line.partition(" (")[0] for line in done.stderr.splitlines()
    ]


def test_a_terminal_without_the_signs_shows_their_codes(program: Program) -> None:
    narrow = attrs.evolve(program, more={"PYTHONIOENCODING": "ascii"})
    asked = ("may", "renew-ssh-key", "--at", "2023-04-20")
    assert "\\u201cCPs should NOT" in narrow.run(*asked).stdout
    assert json.loads(program.run(*asked, "--json").stdout) == json.loads(
        narrow.run(*asked, "--json").stdout
    )
