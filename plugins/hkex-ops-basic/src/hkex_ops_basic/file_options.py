"""What an operator sets of files of ticks: which file, and from where on it is read.

Every fault is a `ConfigError` when the value is made, whether from a file or by hand.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from attrs import field, frozen

from hkex_ops.errors import ConfigError

__all__ = ["JsonLinesFeedOptions", "JsonLinesPublisherOptions"]

ALL = "all"
NEW = "new"


def _path(value: str | Path) -> Path:
    return Path(value)


@frozen(kw_only=True)
class JsonLinesPublisherOptions:
    """The options of the index publisher ``json-lines``: the ``file`` that ticks are added to."""

    file: Path = field(converter=_path)


@frozen(kw_only=True)
class JsonLinesFeedOptions:
    """The options of the index feed ``json-lines``.

    ``file`` is read from ``start`` on: ``all`` of it, what is ``new`` once the feed is open, or the
    ticks of a moment and later ones (``2026-02-02T09:30:00+08:00``). With ``follow`` the feed goes
    on when it has given everything, and waits for a file that is not there yet.
    """

    file: Path = field(converter=_path)
    start: str = ALL
    follow: bool = False

    def __attrs_post_init__(self) -> None:
        if self.start not in (ALL, NEW):
            _moment(self.start)
        if self.starts_new and not self.follow:
            raise ConfigError(
                "start is 'new' and follow is false, so nothing would ever be read: set follow"
            )

    @property
    def starts_new(self) -> bool:
        """Whether what stands in the file already is left out."""
        return self.start == NEW

    @property
    def since(self) -> datetime | None:
        """The moment of the first tick that is wanted; ``None`` where every moment is."""
        return None if self.start in (ALL, NEW) else _moment(self.start)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ConfigError(
            f"start is {text[:40]!r}: write 'all', 'new' or a date and time with its zone, such as "
            "2026-02-02T09:30:00+08:00"
        )
    return moment
