"""The door of this distribution; the engine is loaded behind it and not before."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from hkex_ops.model import SiteRole
from hkex_ops.ports import Notifier
from hkex_ops_apprise.options import AppriseOptions

__all__ = ["open_apprise"]


@asynccontextmanager
async def open_apprise(options: AppriseOptions, site: SiteRole) -> AsyncGenerator[Notifier]:
    """A notifier for the receivers of the options' file. Nothing is connected here.

    Raises `ConfigError` for a file that cannot be used, and for a URL that Apprise does not know.
    """
    from hkex_ops_apprise.notifier import AppriseNotifier
    from hkex_ops_apprise.receivers import read_receivers

    yield AppriseNotifier(read_receivers(options.receivers_file), options)
