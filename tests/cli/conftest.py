"""The core alone in an empty home, and a desk whose far side is a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli import folder_source
from tests.cli.desk import CATALOGUE, Desk
from tests.cli.program import Program


@pytest.fixture
def program(tmp_path: Path) -> Program:
    home = tmp_path / "home"
    home.mkdir()
    return Program(home)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    site, home = tmp_path / "site", tmp_path / "desk"
    folder_source.install(site, "folder-source", module=folder_source.__name__)
    (home / "exchange").mkdir(parents=True)
    (home / "catalogue.toml").write_text(CATALOGUE, encoding="utf-8")
    desk = Desk(Program(home, (site,)), home / "config.toml")
    desk.configure()
    return desk
