"""What the author of a probe brings to the contract: the adapter and a back door.

The back door stands on the far side: it makes it vanish, fall silent or talk nonsense, and tells
who came and what was said, so that a probe is never its own witness. What a bench cannot do it
leaves as it is here, and the clauses that need it are skipped with that reason.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import pytest

from hkex_ops.model import Connection, SiteRole
from hkex_ops.ports import Offer, Probe

__all__ = ["ProbeBench"]


class ProbeBench(ABC):
    """One adapter and, at each of two sites, one far side that answers as it should.

    ``time_limit_s`` is how long a probe may take with the options given here, whatever happens.
    """

    time_limit_s: int = 10

    @property
    @abstractmethod
    def offer(self) -> Offer[Probe]:
        """The adapter under test, as its plug-in offers it."""

    @abstractmethod
    def options(self) -> object:
        """Options with which every site answers as it should."""

    @abstractmethod
    def connection(self, site: SiteRole) -> Connection:
        """The way to the far side of ``site``."""

    @abstractmethod
    async def take_down(self, site: SiteRole) -> None:
        """Make the site refuse connections."""

    @abstractmethod
    async def bring_up(self, site: SiteRole) -> None:
        """Make the site take connections again, and answer as it should."""

    @abstractmethod
    def visits(self, site: SiteRole) -> int:
        """How many connections the site has taken since it started."""

    def certificate(self, site: SiteRole) -> str | None:
        """The fingerprint of the site's certificate; ``None`` where the protocol has none."""
        return None

    def heard(self, site: SiteRole) -> bytes:
        """What visitors have said to the site, once the protection of the line is taken off."""
        pytest.skip("this bench cannot tell what the far side heard")

    def visitors(self, site: SiteRole) -> int:
        """How many connections to the site are open now."""
        pytest.skip("this bench cannot count open connections")

    async def fall_silent(self, site: SiteRole) -> None:
        """Make the site take connections and say nothing on them."""
        pytest.skip("this bench has nothing to wait for: to take the connection is the answer")

    async def talk_nonsense(self, site: SiteRole) -> None:
        """Make the site answer with something that no probe of this kind can accept."""
        pytest.skip("this bench has no answer to get wrong: to take the connection is the answer")

    def options_with_other_certificate(self) -> object:
        """As :meth:`options`, but another certificate than the sites' is the right one."""
        pytest.skip("this bench has no certificates")
