"""The template of an adapter distribution, with names of one's own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hkex_ops.testing.scaffold import template_folder

copier = pytest.importorskip("copier", reason="the template is copier's")


def test_names_of_ones_own_make_a_distribution_that_keeps_the_contract(tmp_path: Path) -> None:
    answers = {"distribution": "desk-lch-files", "adapter": "lch-files", "service": "LCH"}
    copier.run_copy(
        str(template_folder()), tmp_path / "made", data=answers, defaults=True, quiet=True
    )
    made = tmp_path / "made"
    assert (made / "src" / "desk_lch_files" / "py.typed").exists()
    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
        cwd=made,
        env={**os.environ, "PYTHONPATH": str(made / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == tested.returncode, tested.stdout
    assert "LchFilesOptions" in (made / "src/desk_lch_files/source.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["Desk", "desk--lch", "desk_lch", "1desk"])
def test_a_name_that_no_distribution_can_have_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="small letters"):
        copier.run_copy(
            str(template_folder()),
            tmp_path / "made",
            data={"distribution": name},
            defaults=True,
            quiet=True,
        )
    assert not (tmp_path / "made" / "pyproject.toml").exists()


def test_the_module_prints_where_it_lies() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "hkex_ops.testing.scaffold"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"{template_folder()}\n" == told.stdout
