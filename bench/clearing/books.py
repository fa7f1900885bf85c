#!/usr/bin/env python3
"""Two books of a million trades each compared, by one way; made first where they are not there.

    books.py FOLDER [--rows 1000000] [--way plain|duckdb] [--breaks 0.01]

Everything is SYNTHETIC and comes of one seed. One line of JSON comes out: seconds by the clock, the
most memory that the process ever had, and what was found, which must be what was put in. The two
files are not of one form: ours is a back office's, read by a mapping of columns, with dates, a
decimal comma and words of its own; theirs is as `hkex-ops clearing fetch` writes it.
"""

import argparse
import json
import random
import resource
import sys
import time
from datetime import date, timedelta
from pathlib import Path

from hkex_ops.clearing.rules import DEFAULT_RULES, rules_for
from hkex_ops.config.record_files import fitted, read_records
from hkex_ops.config.record_forms import load_file_forms
from hkex_ops.flows.clearing.joining import Way
from hkex_ops.flows.clearing.reconciling import Book, Comparison, reconcile
from hkex_ops.model import RecordKind

COLUMNS = """
[trades]
delimiter = ";"
date_format = "%d/%m/%Y"
decimal_point = ","
thousands = "."
[trades.columns]
trade_number = "Deal"
series = ["Product", "Month"]
side = { from = "B/S", words = { B = "buy", S = "sell" } }
quantity = "Lots"
price = "Price"
account = "Account"
business_date = "Date"
"""
HEAD = "trade_number,series,side,quantity,price,account,business_date\n"


def make(folder, rows, share):
    """Both books; what differs is counted on the way."""
    draw = random.Random(20190503)
    put_in = dict.fromkeys(("missing-here", "missing-there", "different", "duplicate", "late"), 0)
    first = date(2019, 5, 3)
    ours = (folder / "ours.csv").open("w")
    theirs = (folder / "theirs.csv").open("w")
    with ours, theirs:
        ours.write("Deal;Product;Month;B/S;Lots;Price;Account;Date\n")
        theirs.write(HEAD)
        for number in range(1, rows + 1):
            product = draw.choice(("HSI", "HHI", "MHI", "MCH"))
            month = draw.choice(("K9", "M9", "N9", "U9"))
            lots, cents, account = draw.randrange(1, 500), draw.randrange(10**6), draw.randrange(40)
            buy, day = draw.random() < 0.5, first - timedelta(days=draw.randrange(5))
            left = [lots, cents, day]
            kind = draw.choice(list(put_in)) if draw.random() < share else ""
            put_in.update({kind: put_in[kind] + 1} if kind else {})
            if kind == "different":
                left[1] += 1
            elif kind == "late":
                left[2] += timedelta(days=1)
            text = f"{left[1]:,}".replace(",", ".")
            row = (
                f"{number};{product};{month};{'B' if buy else 'S'};{left[0]};{text},50;A{account};"
                f"{left[2]:%d/%m/%Y}\n"
            )
            ours.write("" if kind == "missing-here" else row * (1 + (kind == "duplicate")))
            if kind != "missing-there":
                theirs.write(
                    f"{number},{product} {month},{'buy' if buy else 'sell'},{lots},{cents}.5,"
                    f"A{account},{day}\n"
                )
    (folder / "columns.toml").write_text(COLUMNS)
    (folder / "put-in.json").write_text(json.dumps(put_in))


def compare(folder, way):
    """One comparison, files to result."""
    kind, own = RecordKind.TRADES, load_file_forms(None)
    form = load_file_forms(folder / "columns.toml")[kind]
    other = fitted(folder / "theirs.csv", own[kind])
    rules = rules_for(DEFAULT_RULES[kind], form.records.stated, other.records.stated)
    return reconcile(
        rules,
        Book(read_records(folder / "ours.csv", form), {}),
        Book(read_records(folder / "theirs.csv", other), {}),
        Comparison(date(2019, 5, 3), way=way),
    )


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("folder", type=Path)
    options.add_argument("--rows", type=int, default=1_000_000)
    options.add_argument("--way", type=Way, choices=list(Way), default=Way.AUTO)
    options.add_argument("--breaks", type=float, default=0.01)
    given = options.parse_args()
    if not (given.folder / "put-in.json").exists():
        given.folder.mkdir(exist_ok=True)
        make(given.folder, given.rows, given.breaks)
    clock, cpu = time.perf_counter(), time.process_time()
    found = compare(given.folder, given.way)
    seconds, cpu_seconds = time.perf_counter() - clock, time.process_time() - cpu
    kinds = {kind.value: count for kind, count in found.tally.kinds.items()}
    put_in = json.loads((given.folder / "put-in.json").read_text())
    # `ru_maxrss` is in KiB; temporary files are on the disk.
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    told = {
        "way": found.way.value,
        "ours": found.tally.ours,
        "theirs": found.tally.theirs,
        "matched": found.tally.matched,
        "seconds": round(seconds, 2),
        "cpu_seconds": round(cpu_seconds, 2),
        "peak_mib": peak_mib,
        "kinds": kinds,
        "as_put_in": kinds == {kind: count for kind, count in put_in.items() if count},
    }
    sys.stdout.write(json.dumps(told) + "\n")
    sys.exit(0 if told["as_put_in"] else 1)


if __name__ == "__main__":
    main()
