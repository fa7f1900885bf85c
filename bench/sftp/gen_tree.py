#!/usr/bin/env python3
"""Generate the served tree and its manifest. usage: gen_tree.py [--root DIR] [--seed N]"""
import argparse, hashlib, json, math, os, random, time
ap = argparse.ArgumentParser()
ap.add_argument("--root", default="/dev/shm/sftpbench/srv"); ap.add_argument("--seed", type=int, default=7)
ap.add_argument("--w1", type=int, default=1000); ap.add_argument("--w2", type=int, default=20)
ap.add_argument("--w2mib", type=int, default=25); ap.add_argument("--w3mib", type=int, default=1024)
ap.add_argument("--w4", type=int, default=20000); ap.add_argument("--w4new", type=int, default=50)
a = ap.parse_args(); R = random.Random(a.seed)
base = 1_790_000_000
block = bytearray()
while len(block) < 8 << 20:
    block += ("%08d,BN%06d,%s,EUR,%.2f,%.4f,2026-11-%02d,%s\n" % (R.randrange(10**8), R.randrange(10**6),
        R.choice(["FDAX", "OGBL", "FESX", "OESX", "FGBM"]), R.uniform(-1e6, 1e6), R.random(), R.randrange(1, 29),
        R.choice(["LONG", "SHORT"]))).encode()
block = bytes(block)
def content(n):
    o = R.randrange(len(block) - 1); out = bytearray(b"#%016x\n" % R.getrandbits(64))
    while len(out) < n: out += block[o:o + n - len(out)]; o = 0
    return bytes(out[:n])
man = {}
def put(w, name, data, mt):
    p = os.path.join(a.root, w, name); open(p, "wb").write(data); os.utime(p, (mt, mt))
    man[w][name] = [len(data), hashlib.sha256(data).hexdigest(), mt]
for w in "w1 w2 w3 w4".split(): os.makedirs(os.path.join(a.root, w), exist_ok=True); man[w] = {}
for i in range(a.w1):
    put("w1", "00RPTCB%03d_20261120_%05d.CSV" % (R.randrange(1000), i), content(int(math.exp(R.uniform(math.log(1024), math.log(65536))))), base + i)
for i in range(a.w2): put("w2", "big_20261120_%03d.csv" % i, content(a.w2mib << 20), base + i)
put("w3", "huge_20261120.csv", content(a.w3mib << 20), base)
for i in range(a.w4):
    put("w4", "00RPTCB%03d_20261120_%05d.CSV" % (i % 1000, i), content(int(math.exp(R.uniform(math.log(1024), math.log(16384))))) if i % (a.w4 // a.w4new) == 0 else content(R.randrange(64, 512)), base + i)
new = [n for i, n in enumerate(man["w4"]) if i % (a.w4 // a.w4new) == 0]
json.dump({"files": man, "w4new": new}, open(os.path.join(a.root, "manifest.json"), "w"))
for w in man: print(w, len(man[w]), sum(v[0] for v in man[w].values()))
