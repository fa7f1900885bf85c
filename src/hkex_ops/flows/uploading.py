"""Send a file, such as a report of large open positions, and keep the receipt.

Off unless the configuration turns it on and says which names may be sent. The adapter sends under a
temporary name and renames; what the server then says of the file is held against what was read
here, and goes into the ledger with the digest. That a file is about to be sent stands there before,
so that of a run which is killed behind the rename it is known what may be on the server.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from hkex_ops.clock import Clock
from hkex_ops.errors import ConfigError, PluginError, Rejected, UsageError
from hkex_ops.flows.sources import ConfiguredSource, Observe
from hkex_ops.flows.store import Archive, refusal
from hkex_ops.flows.store.disk import Folder
from hkex_ops.model import JsonObject, SiteRole, plain
from hkex_ops.ports import SupportsUpload
from hkex_ops.reports.events import LoggedIn, LoggedOut

__all__ = ["require_upload", "upload_report"]

BLOCK_BYTES = 1 << 18


def require_upload(configured: ConfiguredSource, name: str) -> None:
    """Raise unless the configuration lets a file of this name be sent."""
    if configured.upload is None:
        raise ConfigError(
            f"report source {configured.name} may not send files: add "
            f"[report_sources.{configured.name}.upload] with the names that may be sent"
        )
    if (fault := configured.offer.sending_fault(configured.options)) is not None:
        raise ConfigError(f"report source {configured.name} cannot send files: {fault}")
    if not name:
        raise UsageError("a folder cannot be sent: name the file")
    if re.fullmatch(configured.upload.names, name) is None:
        raise UsageError(f"{name} is none of the names that {configured.name} may send")
    if (reason := refusal(name)) is not None:
        raise UsageError(f"{name!a} cannot be sent: its name {reason}")


async def upload_report(
    configured: ConfiguredSource,
    archive: Archive,
    clock: Clock,
    file: Path,
    *,
    site: SiteRole,
    observe: Observe,
) -> JsonObject:
    """Send ``file`` under its own name; the receipt, which is in the ledger when this returns.

    Raises `Rejected` when the server has such a name already or says another size than was sent.
    """
    require_upload(configured, file.name)
    sha256 = hashlib.sha256()
    with Folder.open(file.parent) as folder, folder.reading(file.name) as opened:
        intent: JsonObject = {
            "service": configured.service,
            "sent": file.name,
            "sha256": hashlib.file_digest(opened, "sha256").hexdigest(),
        }
        opened.seek(0)

        def pieces() -> Iterator[bytes]:
            """The file, its digest taken on the way."""
            while data := opened.read(BLOCK_BYTES):
                sha256.update(data)
                yield data

        async with configured.open(site) as source:
            observe(LoggedIn(configured.service, site, source.endpoint))
            if not isinstance(source, SupportsUpload):
                raise PluginError(
                    "cannot send files: turn it on in the adapter's options, or use another",
                    distribution=configured.offer.name,
                    hook="hkex_ops_report_sources",
                )
            begun = archive.unanswered(intent)
            archive.keep_intent(intent, clock.now())
            try:
                end = await source.upload(file.name, pieces())
            except Rejected as error:
                if begun is None:
                    archive.keep_intent(intent, clock.now(), refused=True)
                    raise
                raise Rejected(
                    f"{error}; it may be ours: the run that began to send this very file at "
                    f"{begun} ended without a receipt, ask the exchange"
                ) from error
            endpoint = source.endpoint
        observe(LoggedOut(endpoint))
        size = opened.tell()
    receipt: JsonObject = {
        "service": configured.service,
        "site": site.value,
        "endpoint": plain(endpoint),
        "sent": end.name,
        "size_bytes": size,
        "sha256": sha256.hexdigest(),
        "server_size_bytes": end.size_bytes,
        "server_modified": plain(end.modified),
        "sent_at": plain(clock.now()),
    }
    archive.keep_receipt(receipt, clock.now())
    if end.size_bytes != size:
        raise Rejected(
            f"{file.name} was sent with {size} bytes and the server has {end.size_bytes}: ask the "
            "exchange, the receipt is kept"
        )
    return receipt
