"""Shared helpers for the Python peers: layouts from omd_layout.json, pcap walk, result line, arbitration."""
import json, os, struct, sys, time
HERE = os.path.dirname(os.path.abspath(__file__))
LAYOUT = os.environ.get("OMD_LAYOUT", os.path.join(os.path.dirname(os.path.abspath(__file__)), "omd_layout.json"))
HOT = (30, 31, 32, 40, 41, 43, 50, 52, 53, 56, 60, 71)
FMT = {"uint8": "B", "uint16": "H", "uint32": "I", "uint64": "Q", "int16": "h", "int32": "i", "int64": "q"}


def layouts():
    """type -> (name, fixed_size, [(field, fmt)], [(group, count_field, stride, [(field, fmt)])])"""
    out = {}
    for m in json.load(open(LAYOUT))["omd_c_v1_45"]:
        out[m["type"]] = m
    return out


def fixed_fmt(m):
    """(names, struct) of the fixed part up to the first repeating group, header excluded"""
    names, fmt, off = [], "<", 4
    for f in m["fields"]:
        if "offset" not in f or not isinstance(f["offset"], int) or f["offset"] != off or "length" not in f:
            break
        c = FMT.get(f["type"])
        fmt += c if c else "%ds" % f["length"]
        n = f["name"]
        while n in names:
            n += "_"
        names.append(n)
        off += f["length"]
    return names, struct.Struct(fmt)


def structs():
    return {t: fixed_fmt(m) for t, m in layouts().items() if t not in (22,)}


def read_file(path):
    with open(path, "rb") as f:
        return f.read()


def packets(buf):
    """yield (udp payload offset, end, dst group last-but-one byte, dst port)"""
    up = struct.Struct("<8xI4x").unpack_from
    pos, n = 24, len(buf)
    while pos < n:
        ln = up(buf, pos)[0]
        o = pos + 58
        pos += 16 + ln
        yield o, pos


def vmhwm_kb():
    for l in open("/proc/self/status"):
        if l.startswith("VmHWM"):
            return int(l.split()[1])


def result(peer, mode, secs, hist, npk, chk=None, **kw):
    d = dict(peer=peer, mode=mode, secs=secs, msgs=sum(hist.values()), packets=npk, hist={str(k): int(v) for k, v in sorted(hist.items()) if v},
             chk=chk, rss_mb=round(vmhwm_kb() / 1024, 1), **kw)
    print("RESULT " + json.dumps(d))


class Arb:
    """per-message line arbitration, first come wins, gaps held until the other line fills them"""
    __slots__ = ("next", "held")

    def __init__(self):
        self.next = {}
        self.held = {}
