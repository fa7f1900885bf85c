"""``hkex-ops reports upload``: send a file that the configuration lets be sent."""

from __future__ import annotations

import asyncio
from pathlib import Path

from rich.console import Console

from hkex_ops.cli.answer import Answer
from hkex_ops.cli.options import Config, Json, Site, Source, Verbose
from hkex_ops.cli.progress import watching
from hkex_ops.cli.report_desk import report_desk
from hkex_ops.cli.text import say
from hkex_ops.flows.uploading import require_upload, upload_report
from hkex_ops.model import JsonObject

__all__ = ["upload"]


def upload(
    file: Path,
    /,
    *,
    site: Site = None,
    source: Source = None,
    config: Config = None,
    verbose: Verbose = False,
    json: Json = False,
) -> Answer:
    """Send a file, such as a report of large open positions, and keep the receipt in the ledger.

    Only what the source's upload table names is sent, and nothing on the server is overwritten.

    Parameters
    ----------
    file
        The file, which is sent under its own name.
    """
    desk = report_desk(config, source, verbose=verbose, as_json=json)
    require_upload(desk.configured, file.name)
    place = desk.site(site)
    with desk.archive() as archive, watching() as observe:
        receipt = asyncio.run(
            upload_report(desk.configured, archive, desk.clock, file, site=place, observe=observe)
        )
    return Answer({"receipt": receipt}, lambda console: _render(receipt, console))


def _render(receipt: JsonObject, console: Console) -> None:
    say(console, f"{receipt['sent']} sent at {receipt['sent_at']}: {receipt['size_bytes']} bytes")
    say(console, f"SHA-256 {receipt['sha256']}, receipt kept in the ledger", indent=2)
