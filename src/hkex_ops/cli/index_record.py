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
from hkex_ops.flows.recording import Recorded, RecordingLimits, record_feed
from hkex_ops.model import Json as JsonValue, JsonObject
from hkex_ops.plugins import Plugins

__all__ = ["record"]


def record(
    *,
    out: Annotated[
        Path,
        Parameter(
            name=["--out", "--output", "-o"],
            help="The new pcapng file; with a limit to a file, the folder of the files.",
        ),
    ],
    feed: Annotated[
        str | None, Parameter(help="The [market_feeds.NAME]; the only one, if left out.")
    ] = None,
    seconds: Annotated[
        int | None, Parameter(help="End after so long; else with the feed, or on Ctrl-C.")
    ] = None,
    packets: Annotated[int | None, Parameter(help="End after so many packets.")] = None,
    file_seconds: Annotated[
        int | None, Parameter(help="Begin another file after so long, by the feed's time.")
    ] = None,
    file_megabytes: Annotated[
        int | None, Parameter(help="Begin another file when one is so large.")
    ] = None,
    config: Config = None,
    verbose: Verbose = False,
    json: Json = False,
) -> Answer:
    """Record a market feed as it comes, both lines, duplicates and all, into a pcapng file.

    A file is new, and called .partial until it is whole; killed, it holds all but the last second.
    With --file-seconds or --file-megabytes there is one after the other, named by the time at which
    it was begun. The market feed omd-capture plays them again.
    """
    configure_logs(verbose=verbose, as_json=json)
    settings = load_settings(config_path(config))
    plugins = Plugins.load(block=settings.plugins.block)
    chosen = configured_market_feed(settings, plugins, feed or settings.index.feed)
    limits = _limits(file_seconds, file_megabytes)
    with _shown() as watch:
        done = asyncio.run(
            record_feed(
                chosen, out, limits=limits, most_packets=packets, seconds=seconds, watch=watch
            )
        )
    files = "" if limits is None else f"{say_count(len(done.files), 'file')}, "
    return Answer(
        {"file": str(out), "feed": chosen.name, **_document(done, limits)},
        lambda console: say(
            console,
            f"{out}: {files}{say_count(done.packets, 'packet')} of "
            f"{say_count(len(done.channels), 'channel')}, {say_size(done.size_bytes)}",
        ),
    )


def _limits(seconds: int | None, megabytes: int | None) -> RecordingLimits | None:
    """The limits of a file where any was named."""
    named = {
        "file_s": seconds,
        "file_bytes": None if megabytes is None else megabytes * 1024**2,
    }
    given = {name: limit for name, limit in named.items() if limit is not None}
    return RecordingLimits(**given) if given else None


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


def _document(done: Recorded, limits: RecordingLimits | None) -> JsonObject:
    """What came of it; the files where there may be several."""
    document: JsonObject = {
        "packets": done.packets,
        "size_bytes": done.size_bytes,
        "channels": list(done.channels),
    }
    if limits is None:
        return document
    files: list[JsonValue] = [
        {"file": str(one.path), "packets": one.packets, "size_bytes": one.size_bytes}
        for one in done.files
    ]
    return {**document, "files": files}
