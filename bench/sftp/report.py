#!/usr/bin/env python3
"""report.py FILE.jsonl... -> markdown tables (median wall, ratio to best real peer, client CPU, RSS, MB/s or files/s)"""
import json, sys, statistics as st, collections
D = collections.defaultdict(list)
for f in sys.argv[1:]:
    for l in open(f): r = json.loads(l); D[r["work"], r["cond"]].append(r)
OURS = ("ours", "rawtcp")
for k in sorted(D):
    by = collections.defaultdict(list)
    for r in D[k]: by[r["client"]].append(r)
    rows = []
    for c, rs in by.items():
        ok = [r for r in rs if r["rc"] == 0 and not r["bad"] and not r["timeout"]]
        m = lambda x: st.median([r[x] for r in ok]) if ok and x in ok[0] else None
        rows.append((m("wall") if ok else 9e9, c, len(ok), len(rs), m("cpu"), m("srv_cpu"), m("rss"), m("i_inner") if ok and all("i_inner" in r for r in ok) else None,
                     min((r["wall"] for r in ok), default=None), max((r["wall"] for r in ok), default=None), rs))
    rows.sort(); peers = [r[0] for r in rows if not r[1].startswith(OURS)]
    best = peers[0]; w3 = D[k][0]["mb"]
    print("\n### %s / %s  (%.1f MB)\n\n| client | n | wall s (min-max) | x best peer | inner s | client CPU s | sshd CPU s | RSS MiB | MB/s |\n|---|---|---|---|---|---|---|---|---|" % (k[0].upper(), k[1].upper(), w3))
    for w, c, n, tot, cpu, srv, rss, inn, lo, hi, rs in rows:
        if n == 0: print("| %s | 0/%d | FAIL rc=%s bad=%s timeout=%s | | | | | | |" % (c, tot, rs[0]["rc"], rs[0]["bad"], rs[0]["timeout"])); continue
        print("| %s | %d%s | **%.2f** (%.2f-%.2f) | %.2f | %s | %.2f | %.2f | %.0f | %.0f |" % (c, n, "" if n == tot else "/%d" % tot, w, lo, hi, w / best, "%.2f" % inn if inn else "", cpu, srv, rss / 1024, w3 / w))
