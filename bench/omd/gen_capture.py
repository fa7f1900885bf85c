#!/usr/bin/env python3
"""Write a SYNTHETIC HKEX OMD-C capture (pcap, Ethernet/IPv4/UDP multicast, lines A and B).

Everything in the file is invented by a seeded generator: securities, prices, orders, index weights.
No exchange data is used.  Wire layouts follow OMD-C v1.45 (omd_layout.json).  Stdlib only.

Outputs (prefix = --out):
  <out>_AB.pcap   both lines merged in arrival order           (--lines ab, also in 'all')
  <out>_A.pcap / <out>_B.pcap   one file per line              (--lines split, also in 'all')
  <out>.json      label, parameters, channel map, index definitions, unique message histogram

Time line of the event clock: 08:45 reset + reference data, 09:00 POS OI, 09:15 POS NW (+reference
prices), 09:20 RM, 09:20:41 MA (auction trades), 09:22 BL, 09:30 CTS, then --cts-seconds of
continuous trading.
"""
from __future__ import annotations
import argparse, json, random, struct, sys, time

S = struct.Struct
PKT = S("<HBBIQ")
M100 = S("<HHI"); M10 = S("<HH4s25s3sI"); M13 = S("<HHIH"); M14 = S("<HH3s1sH2sI")
M20 = S("<HH4s1sBB1s4sQQ"); M21 = S("<HHIB3s")
M30 = S("<HHIQiIH2si"); M31 = S("<HHIQIH2si"); M32 = S("<HHIQH2s")
M40 = S("<HHIi"); M41 = S("<HHIiQ"); M43 = S("<HHIiii"); M50 = S("<HHIIiIh2sQ"); M52 = S("<HHIIiQQh1s1s")
M53 = S("<HHI3sB"); E53 = S("<QiIHBB4s"); M56 = S("<HHI1s1sQ2s"); M60 = S("<HHIQqiiiiIq")
M61 = S("<HH4s3s1sq"); M70 = S("<HH11s1s3s1s"); M71 = S("<HH11s1sqqqqqqqqqqqi1s3s")
NULL64 = -(1 << 63)
for st, n in ((M10, 40), (M20, 32), (M30, 32), (M31, 28), (M32, 20), (M50, 32), (M52, 36), (E53, 24), (M60, 52), (M71, 112)):
    assert st.size == n
MAXPKT = 1472
HKT0 = 1_794_873_600_000_000_000 - 8 * 3600 * 10**9     # 2026-11-17 00:00 HKT in ns UTC
ETH = bytes.fromhex("01005e010118") + bytes.fromhex("020000000001") + b"\x08\x00"
MARKETS = ((b"MAIN", "MAIN BOARD"), (b"GEM ", "GEM"), (b"NASD", "NASDAQ-AMEX BOARD"), (b"ETS ", "ETS"))


def hhmm(h, m, s=0):
    return HKT0 + (h * 3600 + m * 60 + s) * 10**9


def spread(p):          # simplified HK spread table, price in 1/1000
    for lim, t in ((250, 1), (500, 5), (10_000, 10), (20_000, 20), (100_000, 50), (200_000, 100), (500_000, 200)):
        if p < lim:
            return t
    return 500


class PcapWriter:
    def __init__(self, path):
        self.f = open(path, "wb", buffering=1 << 20)
        self.f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        self.n = 0
        self.rec = S("<IIII")

    def write(self, ts_ns, frame):
        us = ts_ns // 1000
        n = len(frame)
        self.f.write(self.rec.pack(us // 1000000, us % 1000000, n, n) + frame)
        self.n += 1


def ip_csum(h):
    s = sum(struct.unpack(">10H", h))
    s = (s & 0xFFFF) + (s >> 16)
    s = (s & 0xFFFF) + (s >> 16)
    return ~s & 0xFFFF


class Line:
    """One multicast group; builds frames."""
    def __init__(self, name, group, src):
        self.name = name
        self.ipbase = bytearray(struct.pack(">BBHHHBBH4s4s", 0x45, 0, 0, 0, 0x4000, 16, 17, 0,
                                            bytes(map(int, src.split("."))), bytes(map(int, group.split(".")))))
        g = bytes(map(int, group.split(".")))
        self.eth = bytes([1, 0, 0x5E, g[1] & 0x7F, g[2], g[3]]) + bytes.fromhex("020000000001") + b"\x08\x00"
        self.cache = {}

    def frame(self, port, payload):
        n = len(payload)
        h = self.cache.get((port, n))
        if h is None:
            ip = bytearray(self.ipbase)
            struct.pack_into(">H", ip, 2, n + 28)
            struct.pack_into(">H", ip, 10, ip_csum(bytes(ip)))
            h = self.cache[port, n] = self.eth + bytes(ip) + struct.pack(">HHHH", 40000, port, n + 8, 0)
        return h + payload


class Gen:
    def __init__(self, a):
        self.a = a
        self.r = random.Random(a.seed)
        self.lines = (Line("A", a.group_a, "10.1.1.1"), Line("B", a.group_b, "10.1.2.1"))
        self.out_ab = PcapWriter(a.out + "_AB.pcap") if a.lines in ("ab", "all") else None
        self.out = [PcapWriter(a.out + "_A.pcap"), PcapWriter(a.out + "_B.pcap")] if a.lines in ("split", "all") else [None, None]
        self.seq = {}
        self.last = {}
        self.held = {}
        self.pend = []
        self.hist = {}
        self.nmsg = 0
        self.stats = dict(loss_a=0, loss_b=0, dup=0, swap=0, resplit=0, oos_trades=0, heartbeats=0, packets=0)
        self.chan = {}

    # ---- transport ------------------------------------------------------------
    def port(self, ch):
        return self.a.base_port + ch

    def _flush(self, upto):
        p = self.pend
        p.sort(key=lambda e: e[0])
        i = 0
        n = len(p)
        while i < n and p[i][0] <= upto:
            ts, li, fr = p[i]
            if self.out_ab:
                self.out_ab.write(ts, fr)
            if self.out[li]:
                self.out[li].write(ts, fr)
            i += 1
        del p[:i]

    def _send(self, li, ch, ts, payload):
        a, r = self.a, self.r.random
        fr = self.lines[li].frame(self.port(ch), payload)
        pend = self.pend
        k = (li, ch)
        held = self.held.pop(k, None)
        if held is None and a.swap and r() < a.swap:
            self.held[k] = fr
            self.stats["swap"] += 1
            return
        pend.append((ts, li, fr))
        if held is not None:
            pend.append((ts + 1500, li, held))
        if a.dup and r() < a.dup:
            pend.append((ts + 9000, li, fr))
            self.stats["dup"] += 1

    def packet(self, ch, msgs, t, count_hist=True):
        """msgs: list of encoded messages; t: event time ns."""
        a, r, st = self.a, self.r.random, self.stats
        seq = self.seq.get(ch, 1)
        n = len(msgs)
        send = t - t % 1_000_000
        st["packets"] += 1
        self.last[ch] = t
        body = b"".join(msgs)
        fill = self.fill = (getattr(self, "fill", 0) * 37 + 11) & 255
        pa = PKT.pack(16 + len(body), n, fill, seq, send) + body
        lost_a = a.loss_a and r() < a.loss_a
        lost_b = (not lost_a) and a.loss_b and r() < a.loss_b
        ta = t + 20_000 + int(r() * 30_000)
        tb = ta + int((r() - 0.3) * a.skew_us * 1000)
        if lost_a:
            st["loss_a"] += 1
        else:
            self._send(0, ch, ta, pa)
        if lost_b:
            st["loss_b"] += 1
        elif n > 1 and a.resplit and r() < a.resplit:
            k = n // 2
            b1, b2 = b"".join(msgs[:k]), b"".join(msgs[k:])
            self._send(1, ch, tb, PKT.pack(16 + len(b1), k, fill, seq, send) + b1)
            self._send(1, ch, tb + 4000, PKT.pack(16 + len(b2), n - k, fill, seq + k, send) + b2)
            st["resplit"] += 1
        else:
            self._send(1, ch, tb, pa)
        self.seq[ch] = seq + n
        self.nmsg += n
        if len(self.pend) > 8192:
            self._flush(t - 5_000_000)

    def many(self, ch, msgs, t, gap=200_000):
        """pack a list of messages into as few packets as allowed"""
        cur, size = [], 16
        for m in msgs:
            if size + len(m) > MAXPKT or len(cur) == 121:
                self.packet(ch, cur, t)
                t += gap
                cur, size = [], 16
            cur.append(m)
            size += len(m)
        if cur:
            self.packet(ch, cur, t)
            t += gap
        return t

    def heartbeats(self, t):
        for ch, last in self.last.items():
            if t - last >= 2_000_000_000:
                p = PKT.pack(16, 0, 0, self.seq.get(ch, 1) - 1, t - t % 1_000_000)
                self._send(0, ch, t + 30_000, p)
                self._send(1, ch, t + 60_000, p)
                self.last[ch] = t
                self.stats["heartbeats"] += 1

    # ---- content ---------------------------------------------------------------
    def setup(self):
        a, r = self.a, self.r
        n = a.securities
        codes = sorted(r.sample(range(1, 10000), n)) if n < 9000 else list(range(1, n + 1))
        r.shuffle(codes)                      # list position = liquidity rank
        self.codes = codes
        self.px = [max(spread(p), p // spread(p) * spread(p)) for p in (int(10 ** r.uniform(2.2, 5.4)) for _ in codes)]
        for i in range(min(200, n)):          # liquid names are not penny stocks
            p = int(10 ** r.uniform(3.5, 5.6)); self.px[i] = p // spread(p) * spread(p)
        self.prev = list(self.px)
        self.tick = [spread(p) for p in self.px]
        self.lot = [r.choice((100, 200, 400, 500, 1000, 2000)) for _ in codes]
        g = a.groups
        self.grp = [i % g for i in range(n)]
        w = [1.0 / (i + 8) ** 1.05 for i in range(n)]
        self.members = [[i for i in range(n) if i % g == k] for k in range(g)]
        self.gcum = []
        for mem in self.members:
            c, s = [], 0.0
            for i in mem:
                s += w[i]; c.append(s)
            self.gcum.append(c)
        self.gw = [c[-1] for c in self.gcum]
        self.CH_REF, self.CH_SES, self.CH_IDX = 1, 2, 71
        self.CH_SF = [30 + k for k in range(g)]
        self.CH_SS = [10 + k for k in range(g)]
        self.chan = {str(self.CH_REF): "reference (10,11,13,14)", str(self.CH_SES): "session and security status (20,21)",
                     str(self.CH_IDX): "index (70,71)"}
        if a.feed != "ss":
            self.chan.update({str(c): "SF full tick (30,31,32,50,41,43,56)" for c in self.CH_SF})
        if a.feed != "sf":
            self.chan.update({str(c): "SS (40,52,53,60,61)" for c in self.CH_SS})
        # indexes
        top = min(n, a.index_universe)
        self.indexes = []
        for k in range(a.indexes):
            size = r.randint(a.members_min, a.members_max)
            wts = [1.0 / (i + 20) ** 0.7 for i in range(top)]
            chosen = set()
            while len(chosen) < min(size, top):
                chosen.update(r.choices(range(top), wts, k=min(size, top) - len(chosen)))
            cons = [(codes[i], r.randint(10**8, 10**11), r.randrange(5, 101, 5), r.randint(800, 10000)) for i in sorted(chosen)]
            self.indexes.append(dict(code="%07d" % (100 + k * 37), prev_cents=r.randint(200_000, 2_800_000),
                                     members=[dict(code=c, IS=s, FAF=f, CF=cf) for c, s, f, cf in cons]))

    def secdef(self, i):
        b = bytearray(544)
        code = self.codes[i]
        b[:] = b" " * 544
        nu = 1 if i % 7 == 0 else 0
        struct.pack_into("<HHI4s12s4sB", b, 0, 544 + 8 * nu, 11, code, b"GEM " if i % 9 == 8 else b"MAIN", b"HK%010d" % code, b"EQTY", 1)
        b[30:32] = b"01"
        b[32:72] = (b"SYNTHETIC %05d" % code).ljust(40)
        b[72:75] = b"HKD"
        b[75:135] = ("合成證券%05d" % code).encode("utf-16le").ljust(60, b"\0")
        b[135:195] = ("合成证券%05d" % code).encode("utf-16le").ljust(60, b"\0")
        struct.pack_into("<I", b, 195, self.lot[i])
        struct.pack_into("<i", b, 203, self.prev[i])
        b[207:212] = b"YYYYN"; b[213:214] = b"Y"
        struct.pack_into("<II", b, 215, 20100104, 0)
        b[323:324] = b"Y"
        struct.pack_into("<iiI", b, 324, int(self.prev[i] * 1.15), int(self.prev[i] * 0.85), 0)
        b[373:374] = b"N"
        struct.pack_into("<II", b, 374, 0, 0)
        struct.pack_into("<QB3sI1s", b, 383, 0, 0, b"   ", 0, b" ")
        struct.pack_into("<IiiI", b, 444, 0, 0, 0, 0)
        struct.pack_into("<iBiBI", b, 465, 0, 0, 0, 0, 0)
        struct.pack_into("<H", b, 542, nu)
        if nu:
            b += struct.pack("<I4s", self.codes[(i + 1) % len(self.codes)], b"    ")
        return bytes(b)

    def count(self, msgs):
        h = self.hist
        for m in msgs:
            ty = m[2] | m[3] << 8
            h[ty] = h.get(ty, 0) + 1

    def session(self, sub, status, t, end=0):
        ms = [M20.pack(32, 20, mk, b" ", sub, status, b"0", b"    ", t - t % 10**9, end) for mk, _ in MARKETS]
        self.count(ms)
        self.many(self.CH_SES, ms, t)

    def run(self):
        a, r = self.a, self.r
        self.setup()
        t = hhmm(8, 45)
        chans = sorted(int(c) for c in self.chan)
        for ch in chans:                                    # sequence reset everywhere
            m = [M100.pack(8, 100, 1)]
            self.count(m); self.packet(ch, m, t); t += 1_000_000
        ms = [M10.pack(40, 10, mk, nm.encode().ljust(25), b"HKD", a.securities if i == 0 else 30) for i, (mk, nm) in enumerate(MARKETS)]
        ms += [M14.pack(16, 14, c, b" ", f, b"  ", v) for c, f, v in ((b"USD", 0, 77800), (b"CNY", 0, 108000), (b"EUR", 0, 84000), (b"JPY", 3, 510000))]
        ms += [self.secdef(i) for i in range(a.securities)]
        for i in range(0, a.securities, 20):
            k = r.randint(1, 6)
            ms.append(M13.pack(10 + 2 * k, 13, self.codes[i], k) + struct.pack("<%dH" % k, *(r.randint(1, 9999) for _ in range(k))))
        self.count(ms); t = self.many(self.CH_REF, ms, t)
        ms = [M70.pack(20, 70, ix["code"].encode().ljust(11), b"H", b"HKD", b" ") for ix in self.indexes]
        self.count(ms); self.many(self.CH_IDX, ms, t)
        ms = [M21.pack(12, 21, c, 2, b"   ") for c in self.codes[-12:]]
        self.count(ms); self.many(self.CH_SES, ms, t)
        sf = a.feed != "ss"
        qch = self.CH_SF if sf else self.CH_SS
        # pre-opening session
        t = hhmm(9, 0); self.heartbeats(t)
        self.session(1, 20, t, hhmm(9, 15))
        budget = max(0, int(a.messages * a.pos_share))
        span = 20 * 60 * 10**9
        for k in range(0, budget, 8):
            tt = t + span * k // max(budget, 1)
            if k % 512 == 0:
                self.heartbeats(tt)
            gi = r.randrange(a.groups)
            ms = []
            for i in r.choices(self.members[gi], cum_weights=self.gcum[gi], k=4):
                q = r.randint(1, 900) * self.lot[i]
                ms.append(M41.pack(20, 41, self.codes[i], self.px[i], q))
                ms.append(M56.pack(20, 56, self.codes[i], r.choice((b"N", b"B", b"S")), b" ", q // 3, b"  "))
            self.count(ms); self.packet(qch[gi], ms, tt)
        t = hhmm(9, 15); self._flush(t - 1)
        self.session(101, 20, t, hhmm(9, 20))
        for gi in range(a.groups):
            ms = [M43.pack(20, 43, self.codes[i], self.prev[i], int(self.prev[i] * .9), int(self.prev[i] * 1.1)) for i in self.members[gi]]
            self.count(ms); self.many(qch[gi], ms, t + 1_000_000)
        t = hhmm(9, 20); self.heartbeats(t); self.session(108, 20, t, hhmm(9, 22))
        t = hhmm(9, 20, 41); self.session(2, 20, t, hhmm(9, 22))
        tid = self.tid = [0] * a.securities
        self.tkr = [0] * a.securities
        self.vol = [0] * a.securities; self.tov = [0] * a.securities
        self.hi = [0] * a.securities; self.lo = [0] * a.securities
        for gi in range(a.groups):                          # auction trades
            ms = []
            for i in self.members[gi]:
                if i < a.securities * 0.35:
                    self.px[i] = max(self.tick[i], self.px[i] + r.randint(-6, 6) * self.tick[i])
                    tid[i] += 1
                    q = r.randint(1, 400) * self.lot[i]
                    self._acc(i, self.px[i], q)
                    if sf:
                        ms.append(M50.pack(32, 50, self.codes[i], tid[i], self.px[i], q, 103, b"  ", t))
                    else:
                        self.tkr[i] += 1
                        ms.append(M52.pack(36, 52, self.codes[i], self.tkr[i], self.px[i], q, t, 103, b"N", b" "))
            self.count(ms); self.many(qch[gi], ms, t + 2_000_000)
        t = hhmm(9, 22); self.heartbeats(t); self.session(7, 20, t, hhmm(9, 30))
        t = hhmm(9, 30); self.heartbeats(t); self.session(3, 30, t, hhmm(12, 0))
        self.continuous(t)
        self.finish()

    def _acc(self, i, p, q):
        self.vol[i] += q; self.tov[i] += p * q
        if p > self.hi[i]: self.hi[i] = p
        if p < self.lo[i] or not self.lo[i]: self.lo[i] = p

    def continuous(self, t0):
        a, r = self.a, self.r
        rnd, gb = r.random, r.getrandbits
        T = a.cts_seconds * 10**9
        left = a.messages - self.nmsg
        n_idx_budget = int(a.messages * a.index_share)
        ticks = a.cts_seconds // 2
        per = max(1, min(a.indexes, n_idx_budget // max(ticks, 1)))
        step = max(1, -(-ticks * per // max(n_idx_budget, 1)))
        left_book = max(0, left - (ticks // step) * per)
        start_msgs = self.nmsg
        codes, px, tick, lot, tid, tkr = self.codes, self.px, self.tick, self.lot, self.tid, self.tkr
        vol, tov, hi, lo = self.vol, self.tov, self.hi, self.lo
        live = [[] for _ in codes]
        oid = [1] * len(codes)
        held_trade = {}
        ss_share = {"sf": 0.0, "ss": 1.0, "mix": a.ss_share}[a.feed]
        pools = [[] for _ in range(a.groups)]
        hist = self.hist
        for ty in (30, 31, 32, 40, 50, 52, 53, 60, 71):
            hist.setdefault(ty, 0)
        h30 = h31 = h32 = h40 = h50 = h52 = h53 = h60 = h71 = 0
        sent = 0
        next_tick = 1
        ixv = [ix["prev_cents"] * 100 for ix in self.indexes]
        burst = 0
        t = t0
        mean = a.batch
        pstop = 1.0 / mean
        gchoices = []
        p30, p31, p32, p50 = M30.pack, M31.pack, M32.pack, M50.pack
        oos = a.oos
        while sent < left_book:
            if burst <= 0:
                u = sent / left_book
                t = t0 + int(T * (0.6 * u + 0.4 * u * u))
                burst = 1
                while rnd() < a.burst_p and burst < 40:
                    burst += 1
                while next_tick <= ticks and t >= t0 + next_tick * 2_000_000_000:
                    tt = t0 + next_tick * 2_000_000_000
                    if next_tick % step == 0:
                        k0 = (next_tick // step * per) % a.indexes
                        ms = []
                        for k in range(per):
                            j = (k0 + k) % a.indexes
                            ixv[j] += r.randint(-2000, 2000)
                            prev = self.indexes[j]["prev_cents"] * 100
                            ms.append(M71.pack(112, 71, self.indexes[j]["code"].encode().ljust(11), b"T", tt - 8 * 10**9, ixv[j], ixv[j] - prev,
                                               max(ixv[j], prev), min(ixv[j], prev), NULL64, next_tick * 10**12, prev, NULL64, prev, NULL64,
                                               (ixv[j] - prev) * 1000000 // prev, b" ", b"   "))
                        h71 += len(ms)
                        self.many(self.CH_IDX, ms, tt, 20_000)
                    self.heartbeats(tt)
                    next_tick += 1
            else:
                t += 40_000
            burst -= 1
            if not gchoices:
                gchoices = r.choices(range(a.groups), self.gw, k=4096)
            gi = gchoices.pop()
            k = 1
            while rnd() > pstop and k < 44:
                k += 1
            if k > left_book - sent:
                k = left_book - sent
            pool = pools[gi]
            if len(pool) < k:
                pools[gi] = pool = r.choices(self.members[gi], cum_weights=self.gcum[gi], k=16384)
            msgs = []
            size = 16
            if rnd() >= ss_share:
                for _ in range(k):
                    i = pool.pop()
                    x = rnd()
                    lv = live[i]
                    if x < 0.40 or not lv:
                        o = oid[i]; oid[i] = o + 1 + gb(3)
                        side = gb(1)
                        q = (1 + gb(6)) * lot[i]
                        p = px[i] + (gb(3) + 1) * (tick[i] if side else -tick[i])
                        if p <= 0: p = tick[i]
                        lv.append((o, side, q))
                        m = p30(32, 30, codes[i], o, p, q, side, b"2F", 0); h30 += 1
                    elif x < 0.77:
                        j = int(rnd() * len(lv)); o = lv[j]; lv[j] = lv[-1]; lv.pop()
                        m = p32(20, 32, codes[i], o[0], o[1], b"\0\0"); h32 += 1
                    elif x < 0.86:
                        j = int(rnd() * len(lv)); o = lv[j]; q = max(1, o[2] // 2); lv[j] = (o[0], o[1], q)
                        m = p31(28, 31, codes[i], o[0], q, o[1], b"\0\0", 0); h31 += 1
                    else:
                        d = gb(3)
                        if d == 0: px[i] += tick[i]
                        elif d == 1 and px[i] > tick[i] * 4: px[i] -= tick[i]
                        tid[i] += 1
                        q = (1 + gb(5)) * lot[i]
                        p = px[i]
                        vol[i] += q; tov[i] += p * q
                        if p > hi[i]: hi[i] = p
                        if p < lo[i] or not lo[i]: lo[i] = p
                        y = gb(6)
                        ty = 0 if y > 2 else (100, 22, 102)[y]
                        if ty in (22, 102): p = p + tick[i] * 3
                        m = p50(32, 50, codes[i], tid[i], p, q, ty, b"  ", t - t % 1000); h50 += 1
                        ht = held_trade.pop(i, None)
                        if ht is not None:
                            msgs.append(m); size += 32; m = ht
                        elif oos and rnd() < oos:
                            held_trade[i] = m       # goes out right after this stock's next trade
                            self.stats["oos_trades"] += 1
                            continue
                    msgs.append(m); size += len(m)
                    if size > 1400: break
                ch = self.CH_SF[gi]
            else:
                for _ in range(k):
                    i = pool.pop()
                    x = rnd()
                    if x < 0.40:
                        ne = 1 + gb(2)
                        m = M53.pack(12 + 24 * ne, 53, codes[i], b"\0\0\0", ne) + b"".join(
                            [E53.pack((1 + gb(7)) * lot[i], max(1, px[i] + (e - 2) * tick[i]), 1 + gb(4), gb(1), 1 + gb(3), gb(8) % 3, b"\0\0\0\0") for e in range(ne)]); h53 += 1
                    elif x < 0.58:
                        tkr[i] += 1
                        m = M52.pack(36, 52, codes[i], tkr[i], px[i], (1 + gb(6)) * lot[i], t - t % 1000, 0, b"N", b" "); h52 += 1
                    elif x < 0.78:
                        m = M40.pack(12, 40, codes[i], px[i]); h40 += 1
                    else:
                        m = M60.pack(52, 60, codes[i], vol[i], tov[i], hi[i], lo[i], px[i], tov[i] // vol[i] if vol[i] else 0, 0, 0); h60 += 1
                    msgs.append(m); size += len(m)
                    if size > 1340: break
                ch = self.CH_SS[gi]
            if msgs:
                self.packet(ch, msgs, t)
                sent += len(msgs)
        for i, m in held_trade.items():
            self.packet(self.CH_SF[self.grp[i]], [m], t + 1_000_000)
        for ty, c in ((30, h30), (31, h31), (32, h32), (40, h40), (50, h50), (52, h52), (53, h53), (60, h60), (71, h71)):
            hist[ty] += c
        self.end = t

    def finish(self):
        t = self.end + 2_500_000_000
        for (li, ch), fr in list(self.held.items()):
            self.pend.append((t - 1_000_000, li, fr))
        self.held = {}
        self.a.swap = 0
        self.heartbeats(t)
        self._flush(1 << 63)
        for w in (self.out_ab, *self.out):
            if w: w.f.close()
        a = vars(self.a)
        meta = dict(label="SYNTHETIC OMD-C capture, invented data, not from any exchange", generator="gen_capture.py", params=a,
                    channels={c: dict(content=v, port=self.port(int(c))) for c, v in self.chan.items()},
                    unique_messages=self.nmsg, unique_hist={str(k): v for k, v in sorted(self.hist.items()) if v}, transport=self.stats,
                    t0=hhmm(8, 45), cts_start=hhmm(9, 30), prev_close={str(c): p for c, p in zip(self.codes, self.prev)}, indexes=self.indexes)
        assert sum(self.hist.values()) == self.nmsg, (sum(self.hist.values()), self.nmsg)
        with open(self.a.out + ".json", "w") as f:
            json.dump(meta, f)
        print(json.dumps(dict(unique_messages=self.nmsg, **self.stats)))


def main():
    p = argparse.ArgumentParser(description="synthetic OMD-C capture")
    p.add_argument("--out", required=True)
    p.add_argument("--messages", type=int, default=100_000, help="unique (sequence-numbered) messages")
    p.add_argument("--seed", type=int, default=20100122)
    p.add_argument("--securities", type=int, default=2600)
    p.add_argument("--groups", type=int, default=4, help="stock groups = channels per feed")
    p.add_argument("--feed", choices=("mix", "sf", "ss"), default="mix")
    p.add_argument("--ss-share", type=float, default=0.25)
    p.add_argument("--cts-seconds", type=int, default=9000)
    p.add_argument("--batch", type=float, default=6.0, help="mean messages per packet")
    p.add_argument("--burst-p", type=float, default=0.75)
    p.add_argument("--loss-a", type=float, default=0.002)
    p.add_argument("--loss-b", type=float, default=0.001, help="never where A lost too")
    p.add_argument("--dup", type=float, default=0.0005)
    p.add_argument("--swap", type=float, default=0.0005)
    p.add_argument("--resplit", type=float, default=0.03, help="share of B packets with other boundaries")
    p.add_argument("--oos", type=float, default=0.002, help="share of trades sent after the stock's next trade")
    p.add_argument("--skew-us", type=float, default=120.0)
    p.add_argument("--pos-share", type=float, default=0.02)
    p.add_argument("--index-share", type=float, default=0.01)
    p.add_argument("--indexes", type=int, default=47)
    p.add_argument("--members-min", type=int, default=50)
    p.add_argument("--members-max", type=int, default=80)
    p.add_argument("--index-universe", type=int, default=700)
    p.add_argument("--group-a", default="239.1.1.24")
    p.add_argument("--group-b", default="239.1.127.24")
    p.add_argument("--base-port", type=int, default=51000)
    p.add_argument("--lines", choices=("ab", "split", "all"), default="all")
    a = p.parse_args()
    t = time.perf_counter()
    Gen(a).run()
    print("generated in %.1f s" % (time.perf_counter() - t), file=sys.stderr)


if __name__ == "__main__":
    main()
