"""A process that archives, to be killed: ``python child.py MODE FOLDER``.

Everything it archives is made from numbers, so that whoever comes after it knows what a whole file
looks like.

``run``     archive all batches, one line of output for each
``hold``    open the archive, say so, wait for the end of standard input
``crash``   run two batches over and over in a fork that dies at its first, second, third …
            system call that changes anything, each time in a fresh folder ``FOLDER/<number>``
``fill``    archive until the disk is full; then remove ``FOLDER/ballast`` and archive all
"""

from __future__ import annotations

import json
import os
import random
import sys
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

from hkex_ops import HONG_KONG, ManualClock, StoreError
from hkex_ops.flows.store import Archive, Arrival
from hkex_ops.model import Endpoint, ListedReport, Listing, ReportIdentity, SiteRole

__all__ = ["BATCHES", "START", "archive_batch", "clock_of", "expected_files", "findings_in"]

SERVICE = "killed"
BATCHES = 15
CHUNK_BYTES = 65536
DAY = date(2023, 4, 17)
START = datetime(2023, 4, 17, 20, 0, tzinfo=HONG_KONG)
DIED = 9

Part = tuple[ListedReport, bytes]


def content_of(batch: int, number: int) -> bytes:
    """Up to 100 kB, the same every time."""
    draw = random.Random(f"{batch} {number}")
    return draw.randbytes(draw.randrange(100_000))


def parts_of(batch: int) -> list[Part]:
    """Three reports; the last has the name of the first and other content."""
    at = START + timedelta(minutes=batch)
    names = (f"TP{batch:03}.csv", f"RP{batch:03}.csv", f"TP{batch:03}.csv")
    contents = [content_of(batch, number) for number in range(len(names))]
    return [
        (ListedReport(name, len(content), at + timedelta(seconds=number)), content)
        for number, (name, content) in enumerate(zip(names, contents, strict=True))
    ]


def expected_files(batches: int = BATCHES) -> dict[str, bytes]:
    """What the archive holds when all is done, by path."""
    files: dict[str, bytes] = {}
    for batch in range(batches):
        for listed, content in parts_of(batch):
            path = f"reports/{SERVICE}/{DAY.isoformat()}/{listed.name}"
            files[f"{path}.v2" if path in files else path] = content
    return files


def clock_of(batch: int) -> ManualClock:
    return ManualClock(START + timedelta(minutes=batch))


def archive_batch(folder: Path, batch: int) -> None:
    """A fetch in small: open, list, take what is not held, close."""
    clock = clock_of(batch)
    with Archive.open(folder, clock=clock) as archive:
        held = archive.held(SERVICE)
        wanted = [part for part in parts_of(batch) if part[0] not in held]
        archive.place([_arrival(archive, *part) for part in wanted], clock.now())
        reports = tuple(listed for listed, _ in parts_of(batch))
        endpoint = Endpoint("127.0.0.1", 10022)
        site = SiteRole.PRIMARY
        archive.keep_listing(Listing(SERVICE, site, endpoint, clock.now(), DAY, reports))


def _arrival(archive: Archive, listed: ListedReport, content: bytes) -> Arrival:
    file = archive.stage(listed)
    for start in range(0, len(content), CHUNK_BYTES):
        file.write(content[start : start + CHUNK_BYTES])
    identity = ReportIdentity(SERVICE, "HKCC", listed.name[:5], DAY)
    return Arrival(file, listed, identity, SiteRole.PRIMARY, Endpoint("127.0.0.1", 10022))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def run(folder: Path) -> None:
    _say("ready")
    for batch in range(BATCHES):
        archive_batch(folder, batch)
        _say(str(batch))


def hold(folder: Path) -> None:
    with Archive.open(folder, clock=clock_of(0)):
        _say("held")
        sys.stdin.read()


def crash(folder: Path) -> None:
    """Visit every boundary; the last, unharmed run ends the search."""
    call = 0
    while _dies_at(call, folder / f"{call:04}"):
        call += 1
    _say(str(call))


def _dies_at(call: int, folder: Path) -> bool:
    child = os.fork()
    if child == 0:
        status = 1
        try:
            _arm(call)
            for batch in range(2):
                archive_batch(folder, batch)
            status = 0
        finally:
            os._exit(status)
    _, state = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(state)
    if code not in (0, DIED):
        raise AssertionError(f"the run that was to die at call {call} failed by itself")
    return code == DIED


def _arm(call: int) -> None:
    """Let the process die on entering its ``call``-th call; of a write, half is done before."""
    left = call

    def armed(name: str, real: Callable[..., object]) -> Callable[..., object]:
        def entering(*args: object, **named: object) -> object:
            nonlocal left
            if name == "open" and not (isinstance(args[1], int) and args[1] & os.O_CREAT):
                return real(*args, **named)
            if left == 0:
                if name == "write":
                    descriptor, data = args
                    assert isinstance(data, memoryview)
                    real(descriptor, data[: len(data) // 2])
                os._exit(DIED)
            left -= 1
            return real(*args, **named)

        return entering

    for name in ("mkdir", "open", "write", "pwrite", "fsync", "link", "replace", "unlink"):
        setattr(os, name, armed(name, getattr(os, name)))


def fill(folder: Path) -> None:
    """Say what the full disk said, and what was found then and after making room."""
    said = ""
    try:
        for batch in range(BATCHES):
            archive_batch(folder / "archive", batch)
    except StoreError as error:
        said = str(error)
    findings = findings_in(folder / "archive")
    (folder / "ballast").unlink()
    for batch in range(BATCHES):
        archive_batch(folder / "archive", batch)
    findings += findings_in(folder / "archive")
    whole = {
        path: (folder / "archive" / path).read_bytes() == content
        for path, content in expected_files().items()
    }
    _say(json.dumps({"said": said, "findings": findings, "whole": all(whole.values())}))


def findings_in(folder: Path) -> list[str]:
    """What a reader finds, in words."""
    with Archive.open(folder, clock=clock_of(0), read_only=True) as archive:
        return [str(finding) for finding in archive.verify()]


if __name__ == "__main__":
    {"run": run, "hold": hold, "crash": crash, "fill": fill}[sys.argv[1]](Path(sys.argv[2]))
