"""The port ``Notifier`` by mail: one mail for several receivers, and the server's word of each.

When the server was lost or fell silent after the text had gone out, nobody knows whether it took
it: every receipt says *unknown* then, and nothing is sent again from here.
"""

from __future__ import annotations

from collections.abc import Sequence

from hkex_ops.clock import Clock, SystemClock
from hkex_ops.errors import AuthRefused, Busy, PermanentError, Rejected, TransientError, UsageError
from hkex_ops.model import Notification, Outcome, Receipt
from hkex_ops_mail.notices import notice_for
from hkex_ops_mail.options import MailNotifierOptions, is_address
from hkex_ops_mail.sending import RecipientResult, send, try_recipients

__all__ = ["MailNotifier"]


class MailNotifier:
    """Writes mails, and can try its route without writing one."""

    def __init__(self, options: MailNotifierOptions, clock: Clock | None = None) -> None:
        self._options = options
        self._clock: Clock = SystemClock() if clock is None else clock

    async def notify(
        self, notification: Notification, receivers: Sequence[str]
    ) -> tuple[Receipt, ...]:
        """Write to ``receivers``; see the port."""
        _require_addresses(receivers)
        mail = notice_for(notification, self._options, receivers, sent=self._clock.now())
        is_out: list[bool] = []
        try:
            results = await send(
                self._options,
                self._options.sender,
                receivers,
                mail.as_bytes(),
                on_content=lambda: is_out.append(True),
            )
        except (TransientError, PermanentError) as error:
            if not is_out or _answered(error):
                raise
            detail = f"{error}; the text had gone out, so that it may have been taken"
            return tuple(
                Receipt("", one, self._clock.now(), Outcome.UNKNOWN, detail=detail)
                for one in receivers
            )
        return tuple(self._receipt(one) for one in results)

    async def check(self, receivers: Sequence[str]) -> str:
        """Log in and ask for ``receivers``; see the capability.

        Raises `Rejected` where the server would not take a mail for one of them.
        """
        _require_addresses(receivers)
        results = await try_recipients(self._options, self._options.sender, receivers)
        refused = [
            f"{one.recipient} ({one.code} {one.reply})" for one in results if not one.is_taken
        ]
        where = f"mail server {self._options.address}"
        if refused:
            raise Rejected(f"{where} would not take a mail for {', '.join(refused)}")
        who = f" as {self._options.user}" if self._options.user else ""
        asked = len(receivers)
        return f"{where} lets us in{who} and would take a mail for {asked} of {asked}"

    def _receipt(self, result: RecipientResult) -> Receipt:
        said = f"{result.code} {result.reply}"
        now = self._clock.now()
        if result.is_taken:
            return Receipt("", result.recipient, now, Outcome.TAKEN, reference=said)
        outcome = Outcome.REFUSED if result.is_for_good else Outcome.DEFERRED
        return Receipt("", result.recipient, now, outcome, detail=said)


def _answered(error: TransientError | PermanentError) -> bool:
    """Whether the server said itself that it did not take the mail."""
    return isinstance(error, Busy | Rejected | AuthRefused)


def _require_addresses(receivers: Sequence[str]) -> None:
    for one in receivers:
        if not is_address(one):
            raise UsageError(f"{one[:80]!r} is no address: write name@domain in the routing file")
