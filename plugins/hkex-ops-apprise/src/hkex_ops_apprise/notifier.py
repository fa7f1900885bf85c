"""The port ``Notifier`` by Apprise: each receiver is a URL, and has the message for itself.

Services have no word for "this again", so nothing is ever sent twice from here; a failure says
*unknown* wherever the service may have taken the message.
"""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, cast

import apprise

from hkex_ops.clock import Clock, SystemClock
from hkex_ops.errors import ConfigError, UsageError
from hkex_ops.model import Notification, Outcome, Receipt, Severity
from hkex_ops_apprise.options import AppriseOptions
from hkex_ops_apprise.outcomes import judged, overhearing

__all__ = ["AppriseNotifier"]


class _Service(Protocol):
    """What is used of one of the engine's services."""

    service_name: object

    async def async_notify(
        self, *, body: str, title: str, notify_type: apprise.NotifyType, body_format: str
    ) -> bool: ...


_TYPES: Mapping[Severity, apprise.NotifyType] = {
    Severity.INFORMATION: apprise.NotifyType.INFO,
    Severity.MINOR: apprise.NotifyType.INFO,
    Severity.MAJOR: apprise.NotifyType.WARNING,
    Severity.CRITICAL: apprise.NotifyType.FAILURE,
}


class AppriseNotifier:
    """Tells each receiver by the service that its URL names."""

    def __init__(
        self, urls: Mapping[str, str], options: AppriseOptions, clock: Clock | None = None
    ) -> None:
        self._options = options
        self._clock: Clock = SystemClock() if clock is None else clock
        self._services: dict[str, _Service] = {
            name: _service(name, url, options) for name, url in urls.items()
        }

    async def notify(
        self, notification: Notification, receivers: Sequence[str]
    ) -> tuple[Receipt, ...]:
        """Tell one receiver after the other; see the port."""
        for receiver in receivers:
            if receiver not in self._services:
                known = ", ".join(self._services)
                raise UsageError(f"there is no receiver {receiver!r}; known: {known}")
        return tuple([await self._tell(notification, receiver) for receiver in receivers])

    async def _tell(self, notification: Notification, receiver: str) -> Receipt:
        service = self._services[receiver]
        with overhearing() as heard:
            try:
                async with asyncio.timeout(self._options.timeout_s):
                    is_taken = await service.async_notify(
                        body=notification.body,
                        title=notification.subject,
                        notify_type=_TYPES[notification.severity],
                        body_format="text",
                    )
            except TimeoutError:
                return self._receipt(receiver, Outcome.UNKNOWN, "no answer in time")
            # Whatever a service raises: perhaps the message was out.
            except Exception as error:
                detail = f"the engine failed with {type(error).__name__}: it may have been taken"
                return self._receipt(receiver, Outcome.UNKNOWN, detail)
        if is_taken:
            now = self._clock.now()
            said = f"taken by {service.service_name}"
            return Receipt("", receiver, now, Outcome.TAKEN, reference=said)
        return self._receipt(receiver, *judged(heard.texts))

    def _receipt(self, receiver: str, outcome: Outcome, detail: str) -> Receipt:
        return Receipt("", receiver, self._clock.now(), outcome, detail=detail)


def _service(name: str, url: str, options: AppriseOptions) -> _Service:
    with overhearing(), warnings.catch_warnings():
        # It imports every service that it has, and old libraries of some complain of themselves.
        warnings.simplefilter("ignore", DeprecationWarning)
        instantiate = cast("Callable[[str], _Service | None]", apprise.Apprise.instantiate)  # pyright: ignore[reportUnknownMemberType]
        made = instantiate(url)
    if made is None:
        raise ConfigError(
            f"the URL of receiver {name} in {options.receivers_file} is none that Apprise knows"
        )
    return made
