"""``hkex-ops completion``: the script by which a shell completes commands and options.

Written from the whole tree, so every command is imported here, those of plug-ins too; one that
cannot be is left out, and said.
"""

from __future__ import annotations

import sys
from typing import Annotated, Literal, TypeAlias

from cyclopts import Parameter
from rich.console import Console

from hkex_ops.cli.answer import Answer
from hkex_ops.cli.options import Config, Json, optional_settings
from hkex_ops.cli.tree import build_app
from hkex_ops.errors import PluginError
from hkex_ops.plugins import Plugins

__all__ = ["Shell", "completion"]

Shell: TypeAlias = Literal["bash", "zsh", "fish"]


def completion(
    shell: Annotated[Shell, Parameter(help="The shell that shall complete.")],
    /,
    *,
    config: Config = None,
    json: Json = False,
) -> Answer:
    """Give the script that lets a shell complete commands and options.

    Put it where your shell looks for such scripts, and make it anew after an upgrade or when a
    plug-in was installed.
    """
    settings = optional_settings(config)
    plugins = Plugins.load(block=settings.plugins.block if settings else ())
    for name in tuple(plugins.commands()):
        try:
            plugins.require_command(name)
        except PluginError as error:
            sys.stderr.write(f"hkex-ops: left out: {error}\n")
            plugins.refuse_command(name, str(error))
    script = build_app(plugins, []).generate_completion(shell=shell)
    return Answer({"shell": shell, "script": script}, lambda console: _write(script, console))


def _write(script: str, console: Console) -> None:
    """As it is: a script has no width."""
    console.file.write(script)
