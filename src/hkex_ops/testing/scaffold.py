"""Where the template of an adapter distribution lies: ``python -m hkex_ops.testing.scaffold``.

What it prints is a template for copier::

    copier copy "$(python -m hkex_ops.testing.scaffold)" hkex-ops-cre
"""

from __future__ import annotations

import sys
from pathlib import Path

__all__ = ["template_folder"]


def template_folder() -> Path:
    """The folder of the template, as it was installed."""
    return Path(__file__).resolve().parent / "template"


if __name__ == "__main__":
    sys.stdout.write(f"{template_folder()}\n")
