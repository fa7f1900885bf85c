"""The notifier ``webhook``: one signed JSON document posted for each receiver.

``Hkex-Ops-Signature: t=UNIX,v1=HEX`` is the HMAC-SHA256, under the shared secret, of the time in
``t``, a full stop and the body; ``Idempotency-Key`` is the same for the same message, so that a
server can drop what it has. Status 2xx is taken; 408, 425, 429 and 503 say: not now; any other 5xx
leaves it open whether it was taken, for a gateway may have lost the answer; all else is a refusal.
"""

from __future__ import annotations

import asyncio
import hmac
import ssl
from collections.abc import Sequence
from hashlib import sha256
from urllib.parse import urlsplit

from hkex_ops.clock import Clock, SystemClock
from hkex_ops.config.secret_files import secret_line
from hkex_ops.errors import PluginError, RemoteError, TransientError, UsageError
from hkex_ops.model import Notification, Outcome, Receipt
from hkex_ops_basic.certificates import client_context
from hkex_ops_basic.note_documents import note_document, note_identity, spelt
from hkex_ops_basic.notifier_options import WebhookOptions
from hkex_ops_basic.pages import Page
from hkex_ops_basic.posts import knock, post
from hkex_ops_basic.translation import printable, translated

__all__ = ["Webhook", "signature"]

_NOT_NOW = frozenset({408, 425, 429, 503})


def signature(secret: str, body: bytes, sent_s: int) -> str:
    """The header's value for ``body``, signed at ``sent_s`` seconds of Unix time."""
    signed = hmac.new(secret.encode(), f"{sent_s}.".encode() + body, sha256)
    return f"t={sent_s},v1={signed.hexdigest()}"


class Webhook:
    """Posts, and can try its route without posting."""

    def __init__(self, options: WebhookOptions, clock: Clock | None = None) -> None:
        self._options = options
        self._clock: Clock = SystemClock() if clock is None else clock
        self._context: ssl.SSLContext = _context(options)
        secret_line(options.secret_file, "secret_file")

    async def notify(
        self, notification: Notification, receivers: Sequence[str]
    ) -> tuple[Receipt, ...]:
        """Post to every receiver at once; see the port."""
        self._require(receivers)
        secret = secret_line(self._options.secret_file, "secret_file")
        posting = [self._post(notification, receiver, secret) for receiver in receivers]
        return tuple(await asyncio.gather(*posting))

    async def check(self, receivers: Sequence[str]) -> str:
        """Connect and shake hands with every receiver's server; see the capability."""
        self._require(receivers)
        seen: list[str] = []
        for receiver in receivers:
            doing = f"receiver {receiver}, connecting"
            try:
                async with asyncio.timeout(self._options.timeout_s):
                    url = urlsplit(self._options.receivers[receiver])
                    seen.append(str(await knock(url, self._context, self._options.pins)))
            # Whatever the engine raises becomes ours; a bug of this adapter comes as PluginError.
            except Exception as error:
                raise translated(error, doing) from error
        return f"{', '.join(dict.fromkeys(seen))} can be reached; the signature was not tried"

    async def _post(self, notification: Notification, receiver: str, secret: str) -> Receipt:
        body = spelt(note_document(notification, receiver)).encode()
        sent_s = int(self._clock.now().timestamp())
        headers = {
            "Idempotency-Key": note_identity(notification, receiver),
            "Hkex-Ops-Signature": signature(secret, body, sent_s),
        }
        url = urlsplit(self._options.receivers[receiver])
        is_out: list[bool] = []
        try:
            async with asyncio.timeout(self._options.timeout_s):
                page = await post(
                    url,
                    body,
                    headers,
                    self._context,
                    self._options.pins,
                    lambda: is_out.append(True),
                )
        # As above; what fails after the document went out may have been taken.
        except Exception as error:
            ours = translated(error, f"receiver {receiver}")
            if isinstance(ours, PluginError):
                raise ours from error
            return self._failed(receiver, ours, is_out=bool(is_out))
        return self._answered(receiver, page, secret)

    def _failed(self, receiver: str, error: Exception, *, is_out: bool) -> Receipt:
        now = self._clock.now()
        if is_out:
            detail = f"{error}; it had gone out, so that it may have been taken"
            return Receipt("", receiver, now, Outcome.UNKNOWN, detail=detail)
        is_for_now = isinstance(error, TransientError) or not isinstance(error, RemoteError)
        outcome = Outcome.DEFERRED if is_for_now else Outcome.REFUSED
        return Receipt("", receiver, now, outcome, detail=str(error))

    def _answered(self, receiver: str, page: Page, secret: str) -> Receipt:
        now = self._clock.now()
        words = printable(page.text.replace(secret, "…")) if page.text.strip() else ""
        said = f"HTTP {page.status}" + (f": {words}" if words else "")
        if 200 <= page.status < 300:
            return Receipt("", receiver, now, Outcome.TAKEN, reference=said)
        if page.status in _NOT_NOW:
            return Receipt("", receiver, now, Outcome.DEFERRED, detail=said)
        outcome = Outcome.UNKNOWN if page.status >= 500 else Outcome.REFUSED
        return Receipt("", receiver, now, outcome, detail=said)

    def _require(self, receivers: Sequence[str]) -> None:
        for receiver in receivers:
            if receiver not in self._options.receivers:
                known = ", ".join(self._options.receivers)
                raise UsageError(f"there is no receiver {receiver!r}; known: {known}")


def _context(options: WebhookOptions) -> ssl.SSLContext:
    if options.ca_file is not None or options.certificates:
        return client_context(options.ca_file)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_default_certs()
    return context
