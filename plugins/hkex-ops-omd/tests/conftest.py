"""What the tests of this plug-in share."""

from __future__ import annotations

import sys
from pathlib import Path

# The checkout imports tests by path, and this folder's name is not one a package can have.
sys.path.insert(0, str(Path(__file__).parent))
