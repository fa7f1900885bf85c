#!/usr/bin/env python3
"""Socket to tick in this library.  ours_recv.py PORT STEM

The market feed omd-multicast of hkex-ops-omd, lines A and B of one channel on loopback, and the pipeline of an engine
process behind it: arbitration, trades, exact indexes, ticks.  Says READY, then one JSON object like the other receivers."""
import asyncio, gc, json, os, sys, time
from datetime import datetime, timezone
from pathlib import Path
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
PORT, STEM = int(sys.argv[1]), sys.argv[2]
sys.argv[1:] = ["plain", STEM]


def baskets():
    """As ours.py makes them; its last line runs what it was asked for, and is left out."""
    text = (Path(__file__).parent / "ours.py").read_text().rsplit("\n{", 1)[0]
    names = {"__file__": str(Path(__file__).parent / "ours.py")}
    exec(compile(text, "ours.py", "exec"), names)
    return names["baskets_of"](json.loads(Path(STEM + ".json").read_text()))


async def main():
    from hkex_ops.config.layouts import load_codec
    from hkex_ops.flows.index.pipeline import Pipeline
    from hkex_ops.index.engine import Engine
    from hkex_ops.index.rules import IndexRules, TickOrder
    from hkex_ops.model import SiteRole
    from hkex_ops_omd.opening import open_multicast
    from hkex_ops_omd.options import ChannelLines, MulticastLine, MulticastOptions
    channel = PORT - 51000
    lines = ChannelLines(channel, MulticastLine("239.1.1.24", PORT), MulticastLine("239.1.127.24", PORT))
    rules = IndexRules(order=TickOrder.ARRIVAL, interval_s=1)
    first = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    engine = Engine(baskets(), rules, channels=(channel,), first_ns=first - first % 10**9 + 10**9)
    pipeline = Pipeline(engine, load_codec(), (channel,))
    now = datetime.fromtimestamp(0, timezone.utc)
    received, ticks, ended = 0, 0, False
    async with open_multicast(MulticastOptions(interface="127.0.0.1", channels=(lines,)), SiteRole.PRIMARY) as feed:
        gc.collect(); gc.freeze()
        packets = feed.packets()
        waiting = asyncio.ensure_future(anext(packets))
        await asyncio.sleep(0)
        print("READY", flush=True)
        cpu = time.process_time()
        batch = await waiting
        # The sender begins in the middle of a day, as whoever has had a refresh does.
        begins = int.from_bytes(batch.packets[0][4:8], "little")
        pipeline.resume(channel, (), begins - 1, batch.received_ns)
        while True:
            # The sender's farewell is no packet of the feed: a heartbeat whose filler says so.
            if any(one[3] == 0xEE and one[2] == 0 for one in batch.packets):
                kept = [one for one in batch.packets if not (one[3] == 0xEE and one[2] == 0)]
                batch, ended = batch._replace(packets=kept), True
            received += len(batch.packets)
            ticks += len(pipeline.take(batch, now).data)
            if ended:
                break
            batch = await anext(packets)
        cpu = time.process_time() - cpu
    print(json.dumps(dict(recv=received, secs=0, msgs=pipeline.next_sequences[channel], ticks_out=ticks, cpu=cpu)), flush=True)


asyncio.run(main())
