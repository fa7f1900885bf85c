"""A process for tests of how one is kept: it says what its brief tells it to, and ends so.

Run as ``python -m tests.flows.index_child DESCRIPTOR PARENT``.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time


def main() -> None:
    """Read the brief, say hello, and do what it says."""
    with socket.socket(fileno=int(sys.argv[1])) as link, link.makefile("rwb") as wire:
        brief = json.loads(wire.readline())
        wire.write(
            json.dumps({"say": "hello", "pid": os.getpid(), "brief": brief}).encode() + b"\n"
        )
        wire.flush()
        match brief["do"]:
            case "exit":
                sys.exit(brief["status"])
            case "die":
                os.kill(os.getpid(), signal.SIGKILL)
            case "rave":
                wire.write(b"no JSON at all\n")
                wire.flush()
                time.sleep(60)
            case "deaf":
                time.sleep(60)
            case _:
                # Until it is told to end, or the supervisor is gone.
                while line := wire.readline():
                    if json.loads(line) == {"do": "end"}:
                        return


if __name__ == "__main__":
    main()
