"""What the tests of this plug-in share: an authority, and far sides that it certified."""

from __future__ import annotations

from pathlib import Path

import pytest
from basic_certificates import Authority


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "authority")
