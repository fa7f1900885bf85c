"""A folder of installed distributions, and nothing else installed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.plugins_system.site import Site


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """An empty one. What this environment has installed is out of sight of entry points."""
    own = Site(tmp_path / "site")
    others = [path for path in sys.path if not any(Path(path).glob("*.dist-info"))]
    monkeypatch.setattr(sys, "path", [str(own.folder), *others])
    yield own
    for name in own.modules:
        sys.modules.pop(name, None)
