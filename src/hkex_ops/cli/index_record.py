"""``hkex-ops index record``: a market feed kept as a capture that Wireshark opens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from hkex_ops.cli.answer import Answer
from hkex_ops.cli.logs import configure_logs
from hkex_ops.cli.options import Config, Json, Verbose, config_path
from hkex_ops.cli.text import say, say_count, say_size
from hkex_ops.config.settings import load_settings
from hkex_ops.flows.index.adapters import configured_market_feed
from hkex_ops.flows.index.recording import Recorded, record_feed
from hkex_ops.model import JsonObject
from hkex_ops.plugins import Plugins

__all__ = ["record"]


def record(
    *,
    out: Annotated[Path, Parameter(name=["--out", "--output", "-o"], help="The new pcapng file.")],
    feed: Annotated[
        str | None, Parameter(help="The [market_feeds.NAME]; the only one, if left out.")
    ] = None,
    seconds: Annotated[
        int | None, Parameter(help="End after so long; else with the feed, or on Ctrl-C.")
    ] = None,
    packets: Annotated[int | None, Parameter(help="End after so many packets.")] = None,
    config: Config = None,
    verbose: Verbose = False,
    json: Json = False,
) -> Answer:
    """Record a market feed as it comes, both lines, duplicates and all, into a pcapng file.

    The file is new and is whole at every moment. The market feed omd-capture plays it again.
    """
    configure_logs(verbose=verbose, as_json=json)
    settings = load_settings(config_path(config))
    plugins = Plugins.load(block=settings.plugins.block)
    chosen = configured_market_feed(settings, plugins, feed or settings.index.feed)
    with _shown() as watch:
        done = asyncio.run(
            record_feed(chosen, out, most_packets=packets, seconds=seconds, watch=watch)
        )
    return Answer(
        {"file": str(out), "feed": chosen.name, **_document(done)},
        lambda console: say(
            console,
            f"{out}: {say_count(done.packets, 'packet')} of "
            f"{say_count(len(done.channels), 'channel')}, {say_size(done.size_bytes)}",
        ),
    )


@contextmanager
def _shown() -> Generator[Callable[[int, int], None]]:
    """A watcher that shows on a terminal how much there is; nothing where there is none."""
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield lambda packets, size_bytes: None
        return
    with console.status("recording") as status:
        yield lambda packets, size_bytes: status.update(
            f"recording: {say_count(packets, 'packet')}, {say_size(size_bytes)}"
        )


def _document(done: Recorded) -> JsonObject:
    return {
        "packets": done.packets,
        "size_bytes": done.size_bytes,
        "channels": list(done.channels),
    }
