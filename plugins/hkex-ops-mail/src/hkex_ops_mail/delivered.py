"""Who has which letter already, so that nobody is sent the same one twice.

Kept as long as the offer is, over every closing and opening of a publisher: whoever opens one again
after a failure repeats what failed, and those who had theirs must not have it again. Bounded; knows
no network.
"""

from __future__ import annotations

from collections import OrderedDict

from hkex_ops_mail.options import MailPublisherOptions

__all__ = ["LETTERS_REMEMBERED", "Delivered"]

# Letters come four times a minute, and a call is repeated within seconds: an hour of them.
LETTERS_REMEMBERED = 240


class Delivered:
    """The letters of the last hour, by the options they were sent with and their Message-ID."""

    def __init__(self) -> None:
        self._letters: OrderedDict[tuple[MailPublisherOptions, str], set[str]] = OrderedDict()

    def who_has(self, options: MailPublisherOptions, message_id: str) -> set[str]:
        """The recipients who have it; add to the set who gets it. The oldest are forgotten."""
        has_it = self._letters.setdefault((options, message_id), set())
        if len(self._letters) > LETTERS_REMEMBERED:
            self._letters.popitem(last=False)
        return has_it
