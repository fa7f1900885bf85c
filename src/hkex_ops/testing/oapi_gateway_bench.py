"""What the author of a clearing gateway brings to the contract: the adapter and a back door.

The back door stands in the clearing house: it tells what is in its books, what it was asked, what
it did, and who is logged in, so that a gateway is never its own witness. What a bench cannot do it
leaves as it is here, and the clauses that need it are skipped with that reason.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import date

import pytest
from attrs import frozen

from hkex_ops.model import Endpoint, Enquiry, Fields, Transaction
from hkex_ops.ports import OapiGateway, Offer

__all__ = ["Held", "OapiGatewayBench"]


@frozen
class Held:
    """An enquiry, and the items that the books hold for it, as a gateway should give them."""

    enquiry: Enquiry
    items: tuple[Fields, ...]


class OapiGatewayBench(ABC):
    """One adapter and a clearing house with two gateways at its first site, all up.

    ``time_limit_s`` is how long one call may take with the options given here, whatever happens.
    """

    time_limit_s: float = 10

    @property
    @abstractmethod
    def offer(self) -> Offer[OapiGateway]:
        """The adapter under test, as its plug-in offers it."""

    @abstractmethod
    def options(self) -> object:
        """Options with which enquiries are answered, and nothing else is allowed."""

    @abstractmethod
    def held(self) -> Sequence[Held]:
        """Enquiries with what the books hold: two at least, one of which takes several pages."""

    @abstractmethod
    def received(self) -> Sequence[str]:
        """The code of every message that reached the clearing house, in order."""

    @abstractmethod
    def changed(self) -> Sequence[str]:
        """The code of every message that changed something there."""

    @abstractmethod
    def changing(self) -> Sequence[str]:
        """Codes of messages that would change something."""

    @abstractmethod
    def sessions(self) -> int:
        """How many sessions are logged in."""

    @property
    @abstractmethod
    def business_date(self) -> date:
        """The business date of the clearing house."""

    @property
    @abstractmethod
    def gateways(self) -> Sequence[Endpoint]:
        """The gateways of the first site, in the order in which they are to be tried."""

    def secrets(self) -> Sequence[str]:
        """What no error may repeat."""
        return ()

    # -- what goes wrong ---------------------------------------------------------------------

    def options_unknown(self) -> object:
        """Options of a user whom the clearing house does not know."""
        pytest.skip("this clearing house knows no users")

    async def take_down(self, place: int = 0) -> None:
        """The gateway at ``place`` of the first site goes down, with its sessions."""
        pytest.skip("this bench cannot take a gateway down")

    async def fall_silent(self, enquiry: Enquiry) -> None:
        """From now on ``enquiry`` is answered by nothing for longer than the time limit."""
        pytest.skip("this bench has no enquiry without an answer")

    async def answer_in_part(self, enquiry: Enquiry) -> None:
        """From now on one partition answers ``enquiry`` for itself only."""
        pytest.skip("this clearing house has no partitions")

    async def cut_short(self, enquiry: Enquiry) -> None:
        """From now on the answer to ``enquiry`` lacks its end."""
        pytest.skip("this bench cannot cut an answer short")

    async def require_password_change(self) -> None:
        """Who logs in from now on must change the password first."""
        pytest.skip("passwords do not age here")

    def password_changes(self) -> int:
        """How often a password was changed."""
        return 0

    # -- what is told ------------------------------------------------------------------------

    async def tell(self, text: str) -> None:
        """Send a clearing message of one line to everybody."""
        pytest.skip("this clearing house sends no texts")

    async def tell_unheard(self, text: str) -> None:
        """The same, but it does not arrive, and the gateway says that something was lost."""
        pytest.skip("no event is ever lost here")

    # -- what changes something --------------------------------------------------------------

    def options_transacting(self) -> object:
        """Options with which :meth:`transaction` may be sent."""
        pytest.skip("this gateway only enquires")

    def transaction(self) -> Transaction:
        """A transaction that the clearing house takes."""
        pytest.skip("this gateway only enquires")

    async def forget_to_answer(self) -> None:
        """The next transaction is done, and its answer never comes."""
        pytest.skip("this bench has no transaction without an answer")
