"""The runner of console blocks finds a block that lies."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.console import run_console_block


def test_a_block_that_tells_the_truth_passes(tmp_path: Path) -> None:
    assert run_console_block("$ hkex-ops --version\n0...\n", tmp_path) is None


def test_other_output_is_shown_beside_what_was_expected(tmp_path: Path) -> None:
    difference = run_console_block("$ hkex-ops --version\nnever\n", tmp_path)
    assert difference is not None
    assert "expected:\nnever\n" in difference
    assert "printed:\n0." in difference


def test_an_exit_code_must_be_shown(tmp_path: Path) -> None:
    difference = run_console_block("$ hkex-ops no-such-command\n...\n", tmp_path)
    assert difference is not None
    assert "exited 2" in difference


def test_an_exit_code_that_is_shown_is_checked(tmp_path: Path) -> None:
    shown = "$ hkex-ops no-such-command\n...\n$ echo $?\n{}\n"
    assert run_console_block(shown.format(2), tmp_path) is None
    assert run_console_block(shown.format(0), tmp_path) is not None


def test_only_hkex_ops_runs(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="runs hkex-ops, not rm"):
        run_console_block("$ rm -r .\n", tmp_path)


def test_a_block_opens_with_a_command(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="opens with a command"):
        run_console_block("0.1.0\n", tmp_path)


def test_a_block_may_run_at_a_time_and_with_more_in_its_environment(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text("wrong = 1\n", encoding="utf-8")
    block = "$ hkex-ops agenda --rollout rrs-2023\nAgenda at Mon 2023-04-03 09:00, ...\n"
    assert run_console_block(block, tmp_path, at="2023-04-03T09:00+08:00") is None
    own = {"HKEX_OPS_CONFIG": "own.toml"}
    difference = run_console_block("$ hkex-ops status\n", tmp_path, environment=own)
    assert difference is not None
    assert "own.toml: wrong: unknown key" in difference
