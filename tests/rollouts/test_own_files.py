"""Rollout files of the operator's own, named in the configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from hkex_ops.calendars import Calendar
from hkex_ops.config.settings import load_settings
from hkex_ops.config.shipped import load_calendar
from hkex_ops.errors import ConfigError
from hkex_ops.flows.papers import load_papers
from hkex_ops.plugins import Plugins
from tests.rollouts.papers import edited

OWN = edited(('id = "rrs-2023"', 'id = "own-2023"'))


@pytest.fixture
def calendar() -> Calendar:
    return load_calendar()


def own_file(folder: Path, text: str = OWN) -> Path:
    path = folder / "own.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_configuration_names_files_relative_to_itself(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[rollouts]\nfiles = ["own.toml"]\n', encoding="utf-8")
    assert (tmp_path / "own.toml",) == load_settings(config).rollouts.files


def test_an_own_file_is_known_beside_the_shipped_ones(tmp_path: Path, calendar: Calendar) -> None:
    papers = load_papers(calendar, Plugins([]), [own_file(tmp_path)])
    assert {"own-2023", "rrs-2023"} <= papers.rollouts.keys()
    assert "own-2023" == papers.chosen("own-2023")[0].id


def test_every_fault_of_an_own_file_is_told(tmp_path: Path, calendar: Calendar) -> None:
    text = OWN.replace("(Saturday) 14:30", "(Sunday) 14:30").replace('"renew-ssh-key"', '"renew"')
    with pytest.raises(ConfigError) as caught:
        load_papers(calendar, Plugins([]), [own_file(tmp_path, text)])
    assert ["restrictions[0].action", "sessions[0].window.from"] == [
        fault.path for fault in caught.value.faults
    ]


def test_an_id_that_is_taken_is_refused(tmp_path: Path, calendar: Calendar) -> None:
    taken = own_file(tmp_path, edited())
    with pytest.raises(ConfigError, match="'rrs-2023' is known already"):
        load_papers(calendar, Plugins([]), [taken])
