"""A whole index run for a test: real processes, a market that goes on, and what it should be worth.

The market is written to a tape by a thread while the run goes on; :class:`Truth` knows every price
with the time it was sent, and computes each index anew for a moment. SYNTHETIC, and seeded.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

from attrs import define, field

from hkex_ops.clock import SystemClock
from hkex_ops.evidence import Record
from hkex_ops.flows.index.control import ask
from hkex_ops.flows.index.journal import JOURNAL_NAME, read_run_journal
from hkex_ops.model import HONG_KONG, IndexTick, TickKind, parse_tick
from tests.cli import folder_source
from tests.cli.program import HKEX_OPS, Ended, Program
from tests.flows.index_market import BASKET_FILE, BASKETS, DAY, Market, at_ns
from tests.flows.tape_feed import BITTEN, Tape

__all__ = ["INTERVAL_S", "POISON_3DP", "RunBench", "Truth"]

INTERVAL_S = 2
POISON_3DP = 66_666
STOCKS = (5, 700, 941)
LONGEST_S = 60

CONFIGURATION = """\
[market_feeds.tape]
adapter = "tape"
[market_feeds.tape.options]
tape = "tape"
channels = [1, 30]
{options}

[index_publishers.lines]
adapter = "lines"
[index_publishers.lines.options]
file = "ticks.jsonl"
fails = "fails"

{more}
[index]
baskets = "baskets.toml"
folder = "runs"
feed = "tape"
publish = {publish}
[index.rules]
interval_s = {interval_s}
[index.run]
engine_sites = ["primary", "primary", "secondary"]
contingency_sites = ["secondary"]
watchdog_ms = 1500
hold_back_ms = 2000
checkpoint_s = 1
"""


@define
class Truth:
    """Every price that was sent, with when; what the indexes are worth at a moment."""

    sent: list[tuple[int, int, int]] = field(factory=list[tuple[int, int, int]])

    def value(self, index: str, at: datetime) -> Decimal:
        """Half-up to two decimals, from the last prices sent before ``at``."""
        basket = next(one for one in BASKETS if one.index == index)
        now = before = 0
        for stock in basket.constituents:
            prices = [
                price
                for sent_ns, security, price in self.sent
                if security == stock.security and sent_ns < at_ns(at)
            ]
            weight = stock.issued_shares * stock.freefloat_factor * stock.cap_factor
            previous = stock.previous_close_3dp or 0
            now += (prices[-1] if prices else previous) * weight
            before += previous * weight
        cents = int(basket.previous_close * 100)
        return Decimal((2 * now * cents + before) // (2 * before)).scaleb(-2)


@define
class RunBench:
    """A home with a configuration, a market that is written while it runs, and one run of it."""

    home: Path
    options: str = ""
    engines: int = 3
    more: str = ""
    publish: tuple[str, ...] = ("lines",)
    plugins: frozenset[str] = frozenset()
    truth: Truth = field(factory=Truth)
    process: subprocess.Popen[bytes] | None = None
    _market: Market = field(init=False)
    _tape: Tape = field(init=False)
    _over: threading.Event = field(factory=threading.Event)
    _thread: threading.Thread | None = None
    _poison: threading.Event = field(factory=threading.Event)
    program: Program = field(init=False)
    day: date = field(init=False)

    def __attrs_post_init__(self) -> None:
        site = self.home.parent / "site"
        folder_source.install(site, "tape-source", module="tests.flows.tape_feed")
        self.home.mkdir()
        self.program = Program(self.home, (site,), plugins=self.plugins)
        self._market = Market(now=SystemClock().now())
        self._tape = Tape(self.home / "tape")
        self.day = self._market.now.date()
        (self.home / "config.toml").write_text(
            CONFIGURATION.format(
                options=self.options,
                interval_s=INTERVAL_S,
                more=self.more,
                publish=json.dumps(self.publish),
            ),
            "utf-8",
        )
        text = BASKET_FILE.replace(str(DAY), str(self.day))
        (self.home / "baskets.toml").write_text(text, "utf-8")

    # -- the market -------------------------------------------------------------------------------

    def begin(self) -> None:
        """Begin to trade, and go on until :meth:`close`."""
        self._thread = threading.Thread(target=self._trade)
        self._thread.start()

    def poison(self) -> None:
        """Let the next trade of stock 5 be the one that an engine cannot bear."""
        self._poison.set()

    def end_market(self) -> None:
        """No more is sent, and every feed comes to its end."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()
        self._tape.end()

    def _trade(self) -> None:
        chance = random.Random(20100122)
        market = self._market
        market.now = SystemClock().now()
        for batch in market.begin():
            self._tape.write(batch)
        for turn in range(1_000_000):
            if self._over.wait(0.02):
                return
            market.now = SystemClock().now()
            security, price = chance.choice(STOCKS), chance.randrange(50_000, 66_000)
            if self._poison.is_set():
                self._poison.clear()
                security, price = 5, POISON_3DP
            trade = market.trade(security, price)
            # Known before it is sent: a tick that holds it must not come before the truth.
            self.truth.sent.append((at_ns(market.now), security, price))
            self._tape.write(market.send(trade))
            if turn % 5 == 0:
                for batch in market.heartbeats():
                    self._tape.write(batch)

    # -- the run ----------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the run, or start it again."""
        with (self.home / "run.out").open("ab") as out, (self.home / "run.err").open("ab") as err:
            self.process = subprocess.Popen(
                [
                    *(HKEX_OPS, "index", "run", "--config", "config.toml", "--json"),
                    *("--business-date", str(self.day), "--engines", str(self.engines)),
                ],
                cwd=self.home,
                env=self.program.environment(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )

    def ask(self, *words: str) -> Ended:
        """A command about the run, which answers in JSON."""
        where = ("--config", "config.toml", "--business-date", str(self.day), "--json")
        return self.program.run("index", *words, *where)

    def order(self, act: str, reason: str, *more: str) -> Ended:
        """A person's word about contingency."""
        return self.ask("contingency", act, "--by", "Chan Tai Man", "--reason", reason, *more)

    def wait_for(self, what: str, holds: Callable[[], bool], longest_s: float = LONGEST_S) -> None:
        """Wait until ``holds``; fails saying ``what`` did not come."""
        end = time.monotonic() + longest_s
        while not holds():
            assert self.process is None or self.process.poll() is None, self.said()
            assert time.monotonic() < end, f"{what} did not come; {self.said()}"
            time.sleep(0.02)

    def finish(self, number: int | None = signal.SIGTERM) -> int:
        """End the run by a signal, or wait until it ends by itself; its exit code."""
        assert self.process is not None
        if number is not None:
            self.process.send_signal(number)
        return self.process.wait(timeout=LONGEST_S)

    def close(self) -> None:
        """End everything that is still there."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._tape.close()

    def said(self) -> str:
        """What the run said last, for whoever reads a failure."""
        logs = sorted(self.folder.glob("*.log")) if self.folder.exists() else []
        texts = [path.read_text("utf-8")[-1_500:] for path in (self.home / "run.err", *logs)]
        return "\n".join(text for text in texts if text)

    @property
    def bitten(self) -> int:
        """How many processes met the poison."""
        path = self.home / BITTEN
        return len(path.read_bytes().splitlines()) if path.exists() else 0

    # -- what came of it --------------------------------------------------------------------------

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return self.home / "runs" / str(self.day)

    def pids(self, name: str = "engine") -> list[int]:
        """The processes whose name begins so, as the run tells of them."""
        told = asyncio.run(ask(self.folder, {"ask": "status"}))["processes"]
        rows = cast("list[dict[str, Any]]", told)
        return [one["pid"] for one in rows if one["name"].startswith(name) and one["pid"]]

    def ticks(self, kind: TickKind | None = None) -> list[IndexTick]:
        """Every tick that was published, in the order in which they were."""
        path = self.home / "ticks.jsonl"
        lines = path.read_bytes().splitlines() if path.exists() else []
        ticks = [parse_tick(line) for line in lines]
        return [tick for tick in ticks if kind is None or tick.kind is kind]

    def journal(self, *kinds: str) -> list[Record]:
        """The entries of the journal, those of ``kinds`` only if any are named."""
        records = read_run_journal(self.folder / JOURNAL_NAME)
        return [record for record in records if not kinds or record.kind in kinds]

    def told(self, event: str) -> list[dict[str, Any]]:
        """The events of that name that the run printed."""
        lines = (self.home / "run.out").read_text("utf-8").splitlines()
        documents = [cast("dict[str, Any]", json.loads(line)) for line in lines]
        return [one for one in documents if one.get("event") == event]

    # -- what must hold ---------------------------------------------------------------------------

    def require_right(self, ticks: Sequence[IndexTick]) -> None:
        """No tick is wrong and unmarked."""
        wrong = [
            (tick.index, tick.at, tick.value, self.truth.value(tick.index, tick.at))
            for tick in ticks
            if not tick.stale and tick.value != self.truth.value(tick.index, tick.at)
        ]
        assert [] == wrong

    def require_once(self) -> None:
        """Nothing was published twice."""
        out = [(tick.index, tick.at, tick.kind) for tick in self.ticks()]
        assert sorted(set(out), key=str) == sorted(out, key=str)

    def missing(self, ticks: Sequence[IndexTick]) -> list[datetime]:
        """The moments between the first and the last that have no ticks."""
        moments = sorted({tick.at for tick in ticks})
        known = set(moments)
        return list(_not_in(known, moments[0], moments[-1]))


def _not_in(known: set[datetime], first: datetime, last: datetime) -> Iterator[datetime]:
    seconds = int(first.timestamp())
    while seconds <= int(last.timestamp()):
        moment = datetime.fromtimestamp(seconds, HONG_KONG)
        if moment not in known:
            yield moment
        seconds += INTERVAL_S


def is_gone(pid: int) -> bool:
    """Whether there is no such process any more."""
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return False
    return True
