"""The units of the page about scheduling are taken by systemd as they stand."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.wheel import CHECKOUT

PAGE = CHECKOUT / "docs" / "how-to" / "schedule-the-fetch.md"
INSTALLED = "/opt/hkex-ops/bin/hkex-ops"
ANALYZE = shutil.which("systemd-analyze")


@pytest.mark.skipif(ANALYZE is None, reason="there is no systemd-analyze on this machine")
def test_systemd_finds_no_fault_in_the_units(tmp_path: Path) -> None:
    """With another program in place of ours, for it says when that is not installed."""
    assert ANALYZE is not None
    text = PAGE.read_text(encoding="utf-8")
    named = re.findall(r"^`\S*/(\S+)`:\n\n```text\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert ["hkex-ops-reports.service", "hkex-ops-reports.timer"] == [name for name, _ in named]
    for name, unit in named:
        there = unit.replace(INSTALLED, "/bin/true")
        (tmp_path / name).write_text(there, encoding="utf-8")
    done = subprocess.run(
        [ANALYZE, "verify", *(f"./{name}" for name, _ in named)],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    # What it says of other units of this machine is not about ours.
    assert [] == [line for line in done.stdout.splitlines() if "hkex-ops" in line]
