"""Every error this library raises on purpose, sorted by who must act.

::

    HkexOpsError
    ├── ConfigError          the operator: wrong file, unknown name (every fault at once)
    ├── PluginError          the adapter's author: a contract was broken
    ├── UsageError           the caller: a question or a drive that makes no sense
    │   └── OutsideCalendar  the caller: a date that no dated table covers
    ├── WireError            the bytes disobey their specification
    ├── Denied               a rule of a circular forbids it now
    ├── StoreError           the operator: disk full, damaged ledger
    │   └── StoreInUse       another process works there: wait, or end it
    └── RemoteError          the other side
        ├── TransientError   try again
        │   ├── Unreachable
        │   ├── TimedOut
        │   └── Busy
        └── PermanentError   do not try again
            ├── AuthRefused
            ├── HostKeyMismatch
            ├── ReportNotFound
            └── Rejected

A late report, a missed step or a figure that differs is a value, not an error. No text of an error
carries a secret: keys and passwords are named by the place they come from, never by their content.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import attrs

__all__ = [
    "AuthRefused",
    "Busy",
    "ConfigError",
    "Denied",
    "Fault",
    "HkexOpsError",
    "HostKeyMismatch",
    "OutsideCalendar",
    "PermanentError",
    "PluginError",
    "Rejected",
    "RemoteError",
    "ReportNotFound",
    "StoreError",
    "StoreInUse",
    "TimedOut",
    "TransientError",
    "Unreachable",
    "UsageError",
    "WireError",
]


class HkexOpsError(Exception):
    """Root of every error raised on purpose. Its text is one sentence for a person."""


@attrs.frozen
class Fault:
    """One thing wrong in a file that a person wrote.

    ``path`` is where it stands in the document (``sessions[1].window.from``; empty for the whole
    document), ``message`` a sentence that says what is wrong and what would be right.
    """

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class ConfigError(HkexOpsError):
    """The operator must mend a file or a name. Lists every fault of the document at once."""

    def __init__(self, faults: str | Fault | Iterable[Fault], *, document: str = "") -> None:
        if isinstance(faults, str):
            faults = (Fault("", faults),)
        elif isinstance(faults, Fault):
            faults = (faults,)
        self.faults: tuple[Fault, ...] = tuple(faults)
        self.document = document
        super().__init__(self._text())

    def _text(self) -> str:
        lead = f"{self.document}: " if self.document else ""
        if len(self.faults) == 1:
            return f"{lead}{self.faults[0]}"
        listed = "".join(f"\n  {fault}" for fault in self.faults)
        return f"{lead}{len(self.faults)} faults{listed}"


class PluginError(HkexOpsError):
    """The adapter's author must act: a distribution broke a contract of the plug-in system."""

    def __init__(self, message: str, *, distribution: str, hook: str = "") -> None:
        self.distribution = distribution
        self.hook = hook
        where = f"{distribution}, hook {hook}" if hook else distribution
        super().__init__(f"plug-in {where}: {message}")


class UsageError(HkexOpsError):
    """The caller must act: an unknown name, an impossible question, a machine driven wrongly."""


class OutsideCalendar(UsageError):
    """A date that no dated table covers; the library never guesses a trading day."""


class WireError(HkexOpsError):
    """Bytes that disobey their specification."""

    def __init__(
        self, message: str, *, offset: int, message_type: int | None = None, spec: str = ""
    ) -> None:
        self.offset = offset
        self.message_type = message_type
        self.spec = spec
        kind = "" if message_type is None else f", message type {message_type}"
        version = f", {spec}" if spec else ""
        super().__init__(f"{message} (offset {offset}{kind}{version})")


class Denied(HkexOpsError):
    """A rule in force forbids the act now.

    ``rule`` is the paper's wording, ``source`` names circular and place, ``until`` is the first
    instant at which neither it nor any other rule that forbids the act now holds any longer
    (``None`` when a paper gives no end).
    """

    def __init__(self, action: str, *, rule: str, source: str, until: datetime | None) -> None:
        self.action = action
        self.rule = rule
        self.source = source
        self.until = until
        end = f"until {until.isoformat()}" if until else "with no end stated"
        super().__init__(f"{action} is denied {end}: {rule} ({source})")


class StoreError(HkexOpsError):
    """The operator must act on the disk. ``safe`` says what is certainly unharmed."""

    def __init__(self, message: str, *, path: str, safe: str = "") -> None:
        self.path = path
        self.safe = safe
        super().__init__(f"{path}: {message}" + (f"; {safe}" if safe else ""))


class StoreInUse(StoreError):
    """Another process works there now; its text says which, since when."""


class RemoteError(HkexOpsError):
    """The other side did not do what was asked."""


class TransientError(RemoteError):
    """May succeed when tried again."""


class Unreachable(TransientError):
    """No connection could be made to any address of the site."""


class TimedOut(TransientError):
    """The other side stopped answering."""


class Busy(TransientError):
    """The other side is there but has no room now."""


class PermanentError(RemoteError):
    """Trying again without a change makes it no better."""


class AuthRefused(PermanentError):
    """The other side knows neither this user nor this key."""


class HostKeyMismatch(PermanentError):
    """The server is not the one whose key is pinned; nothing was sent to it."""

    def __init__(self, host: str, port: int, *, seen: str, expected: Sequence[str]) -> None:
        self.host = host
        self.port = port
        self.seen = seen
        self.expected: tuple[str, ...] = tuple(expected)
        pinned = " or ".join(self.expected) if self.expected else "no key at all"
        super().__init__(
            f"{host} port {port} showed host key {seen}, pinned is {pinned}: refused, nothing was "
            "sent; compare with the exchange's published fingerprint before changing the pin"
        )


class ReportNotFound(PermanentError):
    """The report was in the listing or asked for by name and is not there."""


class Rejected(PermanentError):
    """The other side refused the request itself."""
