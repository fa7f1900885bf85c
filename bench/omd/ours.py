#!/usr/bin/env python3
"""What is measured of this library.  ours.py objects|packets PCAP, or plain|vector|compiled|trades STEM [REF.i64]

objects: codec.decode_messages on every packet of one line, one typed immutable object a message.
packets: codec.decode_packet on the same.  plain, vector, compiled: a whole capture of both lines to 47 exact
indexes by that way of `Replay`.  trades: the index engine alone, arbitrated trades in memory.
Prints RESULT and a JSON object, as the peers do; `diff` counts values that differ from REF."""
import json, os, sys, time
from decimal import Decimal
from pathlib import Path
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from omdlib import packets, vmhwm_kb
from hkex_ops.config.layouts import load_codec

MODE, STEM = sys.argv[1:3]
REF = sys.argv[3] if len(sys.argv) > 3 else None
REPS = int(os.environ.get("REPS", "1"))
STEP = 2_000_000_000


def say(**figures):
    print("RESULT " + json.dumps(dict(peer="hkex_ops-" + MODE, rss_mb=round(vmhwm_kb() / 1024, 1), **figures)))


def baskets_of(meta):
    from hkex_ops.index.basket import Basket, Constituent
    from hkex_ops.index.ticks import moment_of
    date = moment_of(meta["cts_start"]).date()
    closes = meta["prev_close"]
    return [Basket(one["code"], "SYNTHETIC", date, Decimal(one["prev_cents"]).scaleb(-2),
                   tuple(Constituent(c["code"], c["IS"], c["FAF"], c["CF"], previous_close_3dp=closes[str(c["code"])])
                         for c in one["members"])) for one in meta["indexes"]]


def objects():
    codec = load_codec()
    decode = codec.decode_messages if MODE == "objects" else codec.decode_packet
    best, count = None, 0
    for _ in range(REPS):
        started = time.perf_counter()
        data = Path(STEM).read_bytes()
        count = 0
        for begin, end in packets(data):
            found = decode(data[begin:end])
            count += len(found if MODE == "objects" else found.messages)
        took = time.perf_counter() - started
        best = took if best is None else min(best, took)
    say(secs=best, msgs=count)


def differing(values, reference):
    import array
    told = array.array("q")
    told.frombytes(Path(reference).read_bytes())
    flat = [value for row in values for value in row]
    # Heartbeats move our time and not the peers': at the end of a capture we may have moments more, never fewer.
    return sum(a != b for a, b in zip(told, flat)) + max(0, len(told) - len(flat))


def replay():
    from hkex_ops.flows.index.replay import Replay, ReplayPlan, ReplayWay
    from hkex_ops.index.rules import IndexRules, TickOrder
    if MODE == "vector":  # the peers too import numpy before their clock starts
        import hkex_ops.index.vector, hkex_ops.omd.columns
    meta = json.loads(Path(STEM + ".json").read_text())
    plan = ReplayPlan(baskets_of(meta), IndexRules(order=TickOrder.ARRIVAL, interval_s=2), ReplayWay(MODE),
                      first_ns=meta["cts_start"] + STEP, cache=Path(os.environ.get("OURS_CACHE", ".")) if MODE == "compiled" else None)
    best, values = None, []
    for _ in range(REPS):
        values = []
        started = time.perf_counter()
        for columns in Replay(plan).columns(Path(STEM + "_AB.pcap")):
            values += columns.values
        took = time.perf_counter() - started
        best = took if best is None else min(best, took)
    say(secs=best, values=sum(map(len, values)), diff=None if REF is None else differing(values, REF))


def trades():
    """Rows that are in memory already, the bench's 2-second moments between them."""
    import numpy
    from hkex_ops.index.recalculation import Recalculation
    from hkex_ops.index.rules import IndexRules, TickOrder
    meta = json.loads(Path(STEM + ".json").read_text())
    kept = numpy.load(STEM + "_trades.npz")
    clock, code, number, price, kind = (kept[name].tolist() for name in ("clock", "code", "tid", "px", "ty"))
    first, last = meta["cts_start"] + STEP, int(kept["last"])
    rules = IndexRules(order=TickOrder.ARRIVAL, interval_s=2)
    rows = list(zip(code, number, price, kind))
    marks, due = [], first
    for place, sent in enumerate(clock):
        while sent >= due:
            marks.append((place, sent, None))
            due += STEP
    marks.append((len(rows), last, None))
    best, values = None, []
    for _ in range(REPS):
        started = time.perf_counter()
        day = Recalculation(baskets_of(meta), rules, first_ns=first)
        values = [*day.feed(rows, marks).values, *day.close().values]
        took = time.perf_counter() - started
        best = took if best is None else min(best, took)
    say(secs=best, values=sum(map(len, values)), diff=None if REF is None else differing(values, REF))


{"objects": objects, "packets": objects, "trades": trades}.get(MODE, replay)()
