#!/usr/bin/env python3
"""The outage of 2010 on a bench capture, recalculated for 47 indexes; then settlement and calls.

    outage.py STEM [--interval-s 15] [--rounds 5] [--whole]

STEM is what ../omd/gen_capture.py made: STEM.json and STEM_AB.pcap. One line of JSON comes out: the
best of the rounds in seconds, by the clock and of the processor, and the most memory that the
process ever had. With --whole the whole day is recalculated instead, for what memory does with its
length. All data is SYNTHETIC.
"""

import argparse
import json
import resource
import sys
import time
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path

from hkex_ops.config.layouts import load_codec
from hkex_ops.config.shipped import load_calendar
from hkex_ops.flows.index.recomputing import CaptureReading, recompute
from hkex_ops.index.basket import Basket, Constituent
from hkex_ops.index.calls import Calls
from hkex_ops.index.products import CallableProduct, Category, Direction
from hkex_ops.index.restatement import restatement
from hkex_ops.index.rules import IndexRules
from hkex_ops.index.settlement import Settlement
from hkex_ops.index.settlement_rules import MissingMark, SettlementRules
from hkex_ops.index.ticks import moment_of

PRODUCTS = 734  # HSI contracts that were listed on 22 January 2010


def baskets_of(meta, date):
    closes = meta["prev_close"]
    return [
        Basket(
            index["code"],
            "SYNTHETIC",
            date,
            Decimal(index["prev_cents"]).scaleb(-2),
            tuple(
                Constituent(
                    one["code"],
                    one["IS"],
                    one["FAF"],
                    one["CF"],
                    previous_close_3dp=closes[str(one["code"])],
                )
                for one in index["members"]
            ),
        )
        for index in meta["indexes"]
    ]


def products_of(index, around):
    levels = [around + Decimal(place - PRODUCTS // 2) for place in range(PRODUCTS)]
    return [
        CallableProduct(
            str(60_000 + place),
            index,
            Direction.BULL if level < around else Direction.BEAR,
            Category.N,
            level,
            level,
            Decimal(10_000),
        )
        for place, level in enumerate(levels)
    ]


def timed(work):
    clock, cpu = time.perf_counter(), time.process_time()
    found = work()
    return found, time.perf_counter() - clock, time.process_time() - cpu


def main():
    parser = argparse.ArgumentParser(description="The outage of 2010 on a bench capture.")
    parser.add_argument("stem")
    parser.add_argument("--interval-s", type=int, default=15)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--whole", action="store_true")
    asked = parser.parse_args()
    meta = json.loads(Path(f"{asked.stem}.json").read_text())
    opens = moment_of(meta["cts_start"])
    day = load_calendar().day(opens.date())
    baskets = baskets_of(meta, day.date)
    reading = CaptureReading(load_codec(), IndexRules(interval_s=asked.interval_s))
    start = None if asked.whole else opens + timedelta(seconds=15)
    until = None if asked.whole else opens + timedelta(minutes=33)
    hsi = baskets[0].index
    rules = SettlementRules(missing=MissingMark.OMIT)

    def recalculated():
        found = recompute(
            [Path(f"{asked.stem}_AB.pcap")], baskets, day, reading, start=start, until=until
        )
        return restatement(found.ticks, (), start=start or found.start, until=until or found.until)

    def settled_and_called(ticks):
        settlement, calls = (
            Settlement(hsi, day, rules),
            Calls(products_of(hsi, ticks[0].value), day),
        )
        now = datetime.combine(day.date, datetime.max.time(), opens.tzinfo)
        for tick in ticks:
            if tick.index == hsi:
                settlement.handle(tick, now)
                calls.handle(tick, now)
        return settlement.answer(), calls.calls

    rounds = []
    for _ in range(asked.rounds):
        found, clock, cpu = timed(recalculated)
        (answer, calls), clock_after, cpu_after = timed(partial(settled_and_called, found.ticks))
        rounds.append((clock, cpu, clock_after, cpu_after))
    clock, cpu, clock_after, cpu_after = map(min, zip(*rounds, strict=True))
    sys.stdout.write(
        json.dumps(
            {
                "capture": Path(asked.stem).name,
                "interval_s": asked.interval_s,
                "indexes": len(baskets),
                "ticks": len(found.ticks),
                "recalculated_s": round(clock, 3),
                "recalculated_cpu_s": round(cpu, 3),
                "settlement_and_calls_s": round(clock_after, 3),
                "settlement_and_calls_cpu_s": round(cpu_after, 3),
                "eas": str(answer.eas),
                "calls": len(calls),
                "most_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            }
        )
        + "\n"
    )


if __name__ == "__main__":
    main()
