"""A process whose children deliver and are killed: ``mail_child.py CONFIG``.

A line on stdin, keys with spaces between, makes it fork a child that hands them in and delivers.
It says the child's number, and when the child has ended, how. Run as a script by the tests.
"""

from __future__ import annotations

import asyncio
import os
import sys
import traceback
from datetime import datetime
from pathlib import Path

from attrs import evolve

from hkex_ops.clock import SystemClock
from hkex_ops.config.settings import load_settings
from hkex_ops.flows.notifying.configured import Correspondence, correspondence
from hkex_ops.flows.notifying.mailroom import Mailroom
from hkex_ops.model import HONG_KONG, Occurrence, Severity
from hkex_ops.notifications import DeliveryRules
from hkex_ops.plugins import Plugins

__all__ = ["main", "stated"]

AT = datetime(2026, 2, 2, 10, 5, tzinfo=HONG_KONG)

# What was not taken is tried again at once: a test need not wait.
RULES = DeliveryRules(attempts=50, first_wait_s=0, longest_wait_s=0)


def stated(config: Path) -> Correspondence:
    """What the configuration says, with adapters as they are installed."""
    return evolve(correspondence(load_settings(config), Plugins.load()), rules=RULES)


def _work(config: Correspondence, keys: list[str]) -> int:
    with Mailroom(config, SystemClock()) as mailroom:
        for key in keys:
            facts = {"subject": f"about {key}", "text": key, "by": "a test"}
            mailroom.hand_in(Occurrence("message/sent", key, AT, Severity.MAJOR, facts))
        asyncio.run(mailroom.deliver())
    return 0


def main(path: str) -> None:
    config = stated(Path(path))
    # Loaded once and not in each child.
    import aiosmtplib  # noqa: F401

    print("ready", flush=True)  # noqa: T201
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                code = _work(config, line.split())
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)
        print(child, flush=True)  # noqa: T201
        _, status = os.waitpid(child, 0)
        print(status, flush=True)  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1])
