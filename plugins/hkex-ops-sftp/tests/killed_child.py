"""One run of the daily fetch in a process of its own, which somebody may kill."""

from __future__ import annotations

import asyncio
import logging
import sys
from datetime import datetime
from pathlib import Path

import structlog
from attrs import evolve

from hkex_ops import ManualClock
from hkex_ops.flows import receiving
from hkex_ops.flows.store import partials
from hkex_ops.model import HONG_KONG


def main() -> None:
    """``folder port keys``: fetch into the folder from a server of this machine."""
    sys.path.insert(0, str(Path(__file__).parent))
    from hostile_servers import Desk, Hostile
    from sftp_benches import Keys

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    folder, port, keys = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    # What counts as large is small here, so that beginnings of large files are left behind.
    receiving.LARGE_BYTES, receiving.COMPARED_BYTES = 100_000, 10_000
    partials.CHECKPOINT_BYTES = 64_000
    desk = Desk(folder, ManualClock(datetime(2023, 4, 14, 20, tzinfo=HONG_KONG)))
    options = Hostile(port, Keys.read(keys), []).options(files_in_flight=4)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    asyncio.run(desk.fetch(evolve(options, inactivity_timeout_s=10)))
    if desk.failure is not None:
        sys.exit(str(desk.failure))


if __name__ == "__main__":
    main()
