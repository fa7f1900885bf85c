"""The files that follow a mandatory call: a trade file for each participant, announcements.

One new folder, whole or not at all: ``participants/P01.csv`` and so on, ``announcement-61001.txt``
as a draft for its issuer, and ``calls.json`` with everything. Called by the command.
"""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from hkex_ops.errors import StoreError
from hkex_ops.flows.store.disk import translating
from hkex_ops.index.calls import Call
from hkex_ops.index.cancellation import Cancellation, ProductTrade, participants_of
from hkex_ops.index.names import index_name
from hkex_ops.model import JsonObject

__all__ = ["TRADE_COLUMNS", "announcement", "write_call_files"]

TRADE_COLUMNS = ("trade", "product", "time", "price", "quantity", "turnover", "side", "way")

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def announcement(call: Call, cancellation: Cancellation) -> str:
    """A draft of the issuer's announcement of one call, in plain sentences."""
    product = call.product
    trades = [one for one in cancellation.trades if one.product == product.product]
    time = "not known yet" if call.time is None else f"{call.time:%H:%M:%S on %A %Y-%m-%d}"
    lines = [
        "DRAFT, to be checked by the issuer before anything is published",
        "",
        f"Mandatory call event: {product.product}"
        + (f", issued by {product.issuer}" if product.issuer else ""),
        f"{product.direction} contract of category {product.category} on "
        f"{index_name(product.index)} (index {product.index})",
        f"Strike level {product.strike}, call level {product.call_level}",
        f"Time of the mandatory call event: {time}, in the {call.session} session",
        f"Index level: {call.index_value} ({call.by})",
        f"Trading suspended from {call.suspended_at:%H:%M:%S}",
    ]
    if trades:
        turnover = sum(one.turnover for one in trades)
        lines.append(
            f"Trades after the mandatory call event, to be cancelled: {len(trades)}, turnover "
            f"HK${turnover}"
        )
    else:
        lines.append("No trade after the mandatory call event is known.")
    return "\n".join(lines) + "\n"


def write_call_files(
    folder: Path, calls: Iterable[Call], cancellation: Cancellation, document: JsonObject
) -> tuple[str, ...]:
    """Write the folder, which must be new; the names in it, in order.

    Raises `StoreError` when it is there already or cannot be written; then nothing of it is there.
    """
    if folder.exists():
        raise StoreError(
            "is there already, and nothing is ever overwritten: name a new folder",
            path=str(folder),
        )
    files = {
        f"participants/{_safe(who)}.csv": _csv(who, trades)
        for who, trades in participants_of(cancellation.trades).items()
    }
    for call in calls:
        name = f"announcement-{_safe(call.product.product)}.txt"
        files[name] = announcement(call, cancellation)
    files["calls.json"] = json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    _write(folder, files)
    return tuple(sorted(files))


def _write(folder: Path, files: Mapping[str, str]) -> None:
    partial = folder.with_name(f"{folder.name}.partial")
    with translating(partial, "write the files of the calls"):
        if partial.exists():
            shutil.rmtree(partial)
        try:
            for name, text in files.items():
                path = partial / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            partial.rename(folder)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise


def _csv(participant: str, trades: Iterable[ProductTrade]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(TRADE_COLUMNS)
    for one in trades:
        bought, sold = one.buyer == participant, one.seller == participant
        side = "both" if bought and sold else "buy" if bought else "sell"
        writer.writerow(
            (
                one.trade,
                one.product,
                one.time.isoformat(),
                one.price,
                one.quantity,
                one.turnover,
                side,
                one.way.value,
            )
        )
    return text.getvalue()


def _safe(name: str) -> str:
    """A name that any file system bears; participants' numbers are so already."""
    return _UNSAFE.sub("_", name).strip(".") or "_"
