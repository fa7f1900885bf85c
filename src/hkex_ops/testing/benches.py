"""What the author of a report source brings to the contract: the adapter and a back door.

The back door reaches the far side without the adapter: it puts and removes reports, takes addresses
down, and tells what the server saw. What a bench cannot do it leaves as it is here, and the clauses
that need it are skipped with that reason.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import pytest

from hkex_ops.model import Endpoint, SiteRole
from hkex_ops.ports import Offer, ReportSource

__all__ = ["ReportSourceBench", "Stored"]


class Stored(NamedTuple):
    """A plain file as it lies on the server, seen through the back door."""

    content: bytes
    modified: datetime


class ReportSourceBench(ABC):
    """One adapter and two running sites, each with an empty folder and its addresses up.

    ``time_limit_s`` is how long a failing login may take with the options given here.
    """

    time_limit_s: int = 10

    @property
    @abstractmethod
    def offer(self) -> Offer[ReportSource]:
        """The adapter under test, as its plug-in offers it."""

    @abstractmethod
    def options(self) -> object:
        """Options with which every site's login succeeds."""

    @abstractmethod
    def endpoints(self, site: SiteRole) -> Sequence[Endpoint]:
        """The site's addresses in the order of the options, with the host keys they really have.

        ``host_key`` is ``None`` where the protocol knows no such thing.
        """

    @abstractmethod
    def put(self, site: SiteRole, name: str, content: bytes) -> None:
        """Put a plain file into the site's folder, in place of one of that name."""

    @abstractmethod
    def remove(self, site: SiteRole, name: str) -> None:
        """Take a file out of the site's folder."""

    @abstractmethod
    def stored(self, site: SiteRole) -> Mapping[str, Stored]:
        """The plain files of the site's folder, by name."""

    def put_folder(self, site: SiteRole, name: str) -> None:
        """Make a folder inside the site's folder."""
        pytest.skip("this bench cannot make a folder")

    def put_link(self, site: SiteRole, name: str, target: str) -> None:
        """Make a symbolic link inside the site's folder."""
        pytest.skip("this bench cannot make a link")

    def options_with_unknown_key(self) -> object:
        """As :meth:`options`, with a key the servers do not know."""
        pytest.skip("this bench has no key to be refused")

    def options_with_other_host_key(self) -> object:
        """As :meth:`options`, but the primary site's first address is pinned to another key."""
        pytest.skip("this bench has no host keys")

    async def take_down(self, site: SiteRole, address: int) -> None:
        """Make the site's address number ``address`` (from 1) refuse connections."""
        pytest.skip("this bench cannot take an address down")

    def sessions(self, site: SiteRole) -> int:
        """How many logged-in sessions the site has now."""
        pytest.skip("this bench cannot count sessions")

    def logins_tried(self, site: SiteRole) -> int:
        """How often the site was told a user's name, since it started."""
        pytest.skip("this bench cannot count attempts to log in")
