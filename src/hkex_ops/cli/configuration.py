"""Where the configuration is, and the one thing in it that is needed before any command is known.

Imports nothing that ``--help`` could do without; the file itself is read, and its faults are told,
by the command that needs it.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import cast

__all__ = ["CONFIG_VARIABLE", "blocked_plugins", "named_config", "user_config"]

CONFIG_VARIABLE = "HKEX_OPS_CONFIG"


def user_config() -> Path:
    """The user's own configuration file, whether or not it is there."""
    import platformdirs

    return platformdirs.user_config_path("hkex-ops") / "config.toml"


def blocked_plugins(arguments: Sequence[str]) -> tuple[str, ...]:
    """The names under ``[plugins] block`` in the configuration that ``arguments`` will read."""
    path = named_config(arguments) or os.environ.get(CONFIG_VARIABLE) or user_config()
    try:
        table = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        blocked = cast("list[object]", table["plugins"]["block"])
    except (OSError, ValueError, KeyError, TypeError):
        return ()
    return tuple(name for name in blocked if isinstance(name, str))


def named_config(arguments: Sequence[str]) -> str | None:
    """The configuration file that ``arguments`` name, if they do."""
    for place, word in enumerate(arguments):
        if word == "--config" and place + 1 < len(arguments):
            return arguments[place + 1]
        if word.startswith("--config="):
            return word.removeprefix("--config=")
    return None
