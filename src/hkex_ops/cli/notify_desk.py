"""What the commands of ``hkex-ops notify`` share: the mailroom of the configuration, and words."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from hkex_ops.cli.logs import configure_logs
from hkex_ops.cli.options import config_path, system_clock
from hkex_ops.clock import Clock
from hkex_ops.config.settings import Settings, load_settings
from hkex_ops.flows.notifying.configured import Correspondence, correspondence
from hkex_ops.flows.notifying.mailroom import Mailroom, Observe
from hkex_ops.flows.plugged import load_plugins

__all__ = ["By", "Key", "clock_of", "configured", "delivered", "mailroom_of"]

Key = Annotated[str, Parameter(help="The key of what was told, or the number of a message.")]
By = Annotated[str, Parameter(name="--by", help="Who says so.")]


def clock_of() -> Clock:
    """The clock by which telling is recorded; one place, so that tests can turn it."""
    return system_clock()


def configured(
    config: Path | None, *, verbose: bool = False, as_json: bool = False
) -> tuple[Settings, Correspondence]:
    """What the configuration says of telling people; raises what it deserves."""
    configure_logs(verbose=verbose, as_json=as_json)
    settings = load_settings(config_path(config))
    plugins = load_plugins(block=settings.plugins.block)
    return settings, correspondence(settings, plugins)


@contextmanager
def mailroom_of(
    config: Path | None,
    *,
    verbose: bool = False,
    as_json: bool = False,
    observe: Observe | None = None,
) -> Generator[Mailroom]:
    """The mailroom of the configuration, open; ``observe`` hears what happens in it."""
    _, stated = configured(config, verbose=verbose, as_json=as_json)
    with Mailroom(stated, clock_of(), observe) as mailroom:
        yield mailroom


def delivered(mailroom: Mailroom) -> bool:
    """Send everything that is due now; ``False`` where another process is at it, and does."""
    return asyncio.run(mailroom.deliver())
