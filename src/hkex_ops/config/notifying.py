"""The ``[notifications]`` and ``[notifiers.NAME]`` tables of the configuration."""

from __future__ import annotations

from pathlib import Path

from attrs import Factory, frozen

from hkex_ops.model import SiteRole

__all__ = ["NotificationSettings", "NotifierSettings"]


@frozen
class NotificationSettings:
    """Who is told what, and where it is written down first.

    ``routes`` is the routing file, ``folder`` that of the outbox. ``templates`` are files of the
    operator's own wordings, later ones over earlier ones and all of them over the shipped ones.
    """

    routes: Path
    folder: Path
    templates: tuple[Path, ...] = ()


@frozen
class NotifierSettings:
    """One way to tell people: which adapter, with its own options.

    ``drops_repeats`` says that the far side knows a message it already has by its key (Message-ID,
    idempotency key), so that what may have been taken can be sent again without asking anybody.
    """

    adapter: str
    site: SiteRole = SiteRole.PRIMARY
    drops_repeats: bool = False
    options: dict[str, object] = Factory(dict[str, object])
