"""What a newcomer meets first is true: the README's lines, CI, and the lists of what is here."""

from __future__ import annotations

import configparser
import os
import re
import shlex
import tomllib
from pathlib import Path

import pytest

from tests.wheel import CHECKOUT

README = (CHECKOUT / "README.md").read_text(encoding="utf-8")
PAGES = [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").rglob("*.md"))]

MAIN_JOB = (
    "python3 -m venv .venv && .venv/bin/pip install -q -r requirements.txt"
    " && .venv/bin/hkex-ops rehearse rrs-2023"
)
FENCE = re.compile(r"^```(\S*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)

# Blocks that run (Sybil), blocks that make the page, and blocks that only show: never commands.
RUN = {"console", "python"}
PAGE = {"{glossary}", "{toctree}", "{note}", "{warning}"}
SHOWN = {"json", "text", "toml"}


def commands_of_readme() -> list[str]:
    return [block.strip() for language, block in FENCE.findall(README) if language == "bash"]


def plugins_of_the_checkout() -> list[str]:
    return sorted(path.parent.name for path in CHECKOUT.glob("plugins/*/pyproject.toml"))


def test_readme_has_two_commands_and_the_first_does_the_main_job() -> None:
    first, _ = commands_of_readme()
    assert MAIN_JOB == first


def test_ci_runs_the_test_line_of_the_readme_word_for_word() -> None:
    _, second = commands_of_readme()
    script = (CHECKOUT / ".ci" / "run").read_text(encoding="utf-8")
    assert second == script.splitlines()[-1]


def test_ci_script_is_executable() -> None:
    assert os.access(CHECKOUT / ".ci" / "run", os.X_OK)


def test_the_main_job_installs_the_core_and_every_plugin() -> None:
    listed = (CHECKOUT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert [".[data,forms,ics]", *(f"./plugins/{name}" for name in plugins_of_the_checkout())] == [
        line for line in listed if line and not line.startswith("#")
    ]


def test_tox_installs_every_plugin_from_its_wheel() -> None:
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(CHECKOUT / "tox.ini", encoding="utf-8")
    first, *_ = tox["from-wheels"]["commands_pre"].strip().splitlines()
    assert ["hkex-ops", *plugins_of_the_checkout()] == shlex.split(first)[1:]


@pytest.mark.parametrize("tool", ["mypy_path", "extraPaths"])
def test_type_checkers_read_every_plugin(tool: str) -> None:
    tables = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    stated = {**tables["mypy"], **tables["pyright"]}[tool]
    assert ["src", *(f"plugins/{name}/src" for name in plugins_of_the_checkout())] == stated


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(CHECKOUT).as_posix())
def test_every_command_in_the_documentation_runs(page: Path) -> None:
    """Only the README's two lines may stand in a block that Sybil does not run: CI runs those."""
    blocks = FENCE.findall(page.read_text(encoding="utf-8"))
    commands = commands_of_readme() if page.name == "README.md" else []
    unknown = [
        language
        for language, block in blocks
        if language not in RUN | PAGE | SHOWN and block.strip() not in commands
    ]
    assert [] == unknown


def test_every_how_to_is_under_a_heading_of_their_index() -> None:
    """The build of the documentation says so too, only later."""
    folder = CHECKOUT / "docs" / "how-to"
    listed = (folder / "index.md").read_text(encoding="utf-8").splitlines()
    pages = sorted(path.stem for path in folder.glob("*.md") if path.stem != "index")
    assert [] == [page for page in pages if page not in listed]
