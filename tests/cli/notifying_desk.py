"""A plug-in for tests: a notifier whose far side is a folder, and a desk that tells by it.

``NAME.refused`` refuses a receiver, ``lost`` loses every answer, ``down`` is no far side at all;
what arrived is a line of ``arrived``.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from attrs import frozen

from hkex_ops.errors import Unreachable
from hkex_ops.hookspecs import hookimpl
from hkex_ops.model import HONG_KONG, Notification, Outcome, Receipt, SiteRole
from hkex_ops.ports import Notifier, Offer

__all__ = ["CONFIG", "ROUTES", "FolderOptions", "arrived", "hkex_ops_notifiers"]

AT = datetime(2026, 2, 2, 10, 5, tzinfo=HONG_KONG)

CONFIG = """
[notifications]
routes = "routes.toml"
folder = "outbox"

[notifiers.mail]
adapter = "folder"
options = { folder = "far" }
"""

ROUTES = """
[[routes]]
id = "desk"
audience = "desk"
languages = ["en", "zh-Hant"]
tell = [{ by = "mail", to = ["desk", "head"] }]

[[routes]]
id = "regulator"
audience = "regulator"
events = ["index/*"]
severity = "major"
tell = [{ by = "mail", to = ["SFC"] }]
"""


@frozen
class FolderOptions:
    """Where the far side is."""

    folder: Path


class FolderNotifier:
    """The port ``Notifier`` into a folder."""

    def __init__(self, options: FolderOptions) -> None:
        self.folder = options.folder

    async def notify(
        self, notification: Notification, receivers: Sequence[str]
    ) -> tuple[Receipt, ...]:
        await self.check(receivers)
        return tuple(self._tell(notification, one) for one in receivers)

    async def check(self, receivers: Sequence[str]) -> str:
        if (self.folder / "down").exists():
            raise Unreachable("the far side is down")
        return "the far side is there"

    def _tell(self, notification: Notification, receiver: str) -> Receipt:
        if (self.folder / f"{receiver}.refused").exists():
            return Receipt("", receiver, AT, Outcome.REFUSED, detail="550 not known here")
        with (self.folder / "arrived").open("a", encoding="utf-8") as file:
            file.write(f"{receiver}: {notification.subject}\n")
        if (self.folder / "lost").exists():
            return Receipt("", receiver, AT, Outcome.UNKNOWN, detail="the answer was lost")
        return Receipt("", receiver, AT, Outcome.TAKEN, reference="250 queued as 4F2c1")


def arrived(home: Path) -> list[str]:
    """What arrived at the far side below ``home``, in order."""
    path = home / "far" / "arrived"
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


@asynccontextmanager
async def _open(options: FolderOptions, site: SiteRole) -> AsyncGenerator[Notifier]:
    yield FolderNotifier(options)


@hookimpl
def hkex_ops_notifiers() -> Iterable[Offer[Notifier]]:
    """Offer ``folder``."""
    return [Offer("folder", FolderOptions, _open)]
