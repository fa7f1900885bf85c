#!/usr/bin/env python3
"""The figures of market data and index, each as a ratio to a named peer in one run, with a verdict.

    figures.py --work DIR [--cap c1m[,c5m]] [--rounds 3] [--no-live]

Makes the synthetic captures and the C peers in DIR (a compiler is needed), runs everything round by round, takes the
best of the rounds, compares every value with the C program's, and prints a table.  A goal that is missed is said and
is no failure; a value that differs is one."""
import argparse, json, os, platform, shutil, subprocess, sys, time
from pathlib import Path

HERE = Path(__file__).resolve().parent
PYTHON = sys.executable
SIZES = {"c100k": (100_000, 900), "c1m": (1_000_000, 9_000), "c5m": (5_000_000, 9_000)}


def main():
    asked = arguments()
    work = asked.work.resolve()
    (work / "data").mkdir(parents=True, exist_ok=True)
    build(work)
    environment = dict(os.environ, OMDB=str(work), OURS_CACHE=str(work / "cache"))
    wrong, lines = [], []
    for name in asked.cap.split(","):
        stem = work / "data" / name
        make(stem, *SIZES[name], environment)
        found = measure(stem, asked.rounds, environment)
        lines += [(name, *row) for row in verdicts(name, found)]
        wrong += [f"{name} {peer}: {figures['diff']} values differ" for peer, figures in found.items() if figures.get("diff")]
    if asked.live:
        lines += live(work, environment)
    print(f"\nPython {platform.python_version()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}, {time.strftime('%Y-%m-%d %H:%M')}")
    print(f"{'capture':8} {'path':44} {'measured':>9} {'goal':>7}  verdict")
    for capture, path, measured, goal, verdict in lines:
        print(f"{capture:8} {path:44} {measured:>9} {goal:>7}  {verdict}")
    for one in wrong:
        print("WRONG:", one)
    return 1 if wrong else 0


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="where captures and programs are made")
    parser.add_argument("--cap", default="c1m", help="c100k, c1m or c5m; several with commas")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-live", dest="live", action="store_false", help="leave out what is sent over loopback")
    return parser.parse_args()


def build(work):
    if shutil.which("gcc") is None:
        sys.exit("figures.py: there is no gcc: install a C compiler, the C program is the reference")
    (work / "build").mkdir(exist_ok=True)
    for name, flags in (("c_peer", ["-O3", "-march=native"]), ("c_recv", ["-O3", "-march=native"]), ("c_send", ["-O2"])):
        source, program = HERE / "peers" / f"{name}.c", work / "build" / name
        if not program.exists():
            subprocess.run(["gcc", *flags, f"-I{HERE / 'peers'}", "-o", str(program), str(source)], check=True)


def make(stem, messages, seconds, environment):
    if not Path(f"{stem}.json").exists():
        told = [PYTHON, str(HERE / "gen_capture.py"), "--out", str(stem), "--messages", str(messages), "--cts-seconds", str(seconds)]
        subprocess.run(told, check=True, stdout=subprocess.DEVNULL, env=environment)
    for script in ("mkindex.py", "extract_trades.py"):
        subprocess.run([PYTHON, str(HERE / script), str(stem)], check=True, stdout=subprocess.DEVNULL, env=environment)
    subprocess.run([PYTHON, str(HERE / "tie_stress.py"), str(stem)], check=True, stdout=subprocess.DEVNULL, env=environment)
    subprocess.run([PYTHON, str(HERE / "mkindex.py"), f"{stem}_tie"], check=True, stdout=subprocess.DEVNULL, env=environment)


def peers(stem):
    """name -> command; the C program first, for it writes the reference."""
    work = stem.parents[1]
    peer, ours, index = str(HERE / "peers" / "py_peer.py"), str(HERE / "ours.py"), str(HERE / "idx_peer.py")
    c = str(work / "build" / "c_peer")
    return {
        "c-index": [c, "index", f"{stem}_AB.pcap", f"{stem}.idx.txt", f"{stem}.ref.i64"],
        "c-index-tie": [c, "index", f"{stem}_AB.pcap", f"{stem}_tie.idx.txt", f"{stem}_tie.ref.i64"],
        "namedtuple": [PYTHON, peer, "namedtuple", "raw", f"{stem}_A.pcap"],
        "attrs": [PYTHON, peer, "attrs", "raw", f"{stem}_A.pcap"],
        "objects": [PYTHON, ours, "objects", f"{stem}_A.pcap"],
        "packets": [PYTHON, ours, "packets", f"{stem}_A.pcap"],
        "hand-loop": [PYTHON, index, "py-inc", "pcap", str(stem), f"{stem}.ref.i64"],
        "plain": [PYTHON, ours, "plain", str(stem), f"{stem}.ref.i64"],
        "vector": [PYTHON, ours, "vector", str(stem), f"{stem}.ref.i64"],
        "compiled": [PYTHON, ours, "compiled", str(stem), f"{stem}.ref.i64"],
        "compiled-first": [PYTHON, ours, "compiled", str(stem), f"{stem}.ref.i64"],
        "polars-i128": [PYTHON, index, "polars-i128", "trades", str(stem), f"{stem}.ref.i64"],
        "trades": [PYTHON, ours, "trades", str(stem), f"{stem}.ref.i64"],
        "plain-tie": [PYTHON, ours, "plain", f"{stem}_tie", f"{stem}_tie.ref.i64"],
        "vector-tie": [PYTHON, ours, "vector", f"{stem}_tie", f"{stem}_tie.ref.i64"],
        "compiled-tie": [PYTHON, ours, "compiled", f"{stem}_tie", f"{stem}_tie.ref.i64"],
    }


def measure(stem, rounds, environment):
    found = {}
    for turn in range(rounds):
        for name, command in peers(stem).items():
            if turn and name.endswith("-tie"):
                continue
            # The peers of the compiled way were measured warm; what a first replay costs is told beside it.
            told = run(name, command, dict(environment, REPS="3") if name == "compiled" else environment)
            if told is not None and (name not in found or told["secs"] < found[name]["secs"]):
                found[name] = told
    return found


def run(name, command, environment):
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=900)
    results = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    if done.returncode or not results:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        print(f"{name}: not measured: {last}", file=sys.stderr, flush=True)
        return None
    return json.loads(results[-1][7:])


def verdicts(name, found):
    """(path, measured, goal, verdict) of every figure that could be measured."""
    large = name == "c5m"
    rows = [
        ("objects / namedtuple loop", "namedtuple", "objects", 1.0),
        ("objects / attrs loop", "attrs", "objects", 1.4),
        ("plain replay / C end to end", "c-index", "plain", 0.045 if large else 0.06),
        ("plain replay / hand loop", "hand-loop", "plain", 0.9),
        ("vector replay / C end to end", "c-index", "vector", 0.09),
        ("vector replay / hand loop", "hand-loop", "vector", 1.3),
        ("compiled replay, warm / C end to end", "c-index", "compiled", 0.3),
        ("compiled replay, first in a process / C", "c-index", "compiled-first", None),
        ("index engine alone / polars Int128", "polars-i128", "trades", 2 if large else 4),
    ]
    for path, peer, ours, goal in rows:
        if peer in found and ours in found:
            ratio = found[peer]["secs"] / found[ours]["secs"]
            verdict = "told" if goal is None else "reached" if ratio >= goal else "missed"
            yield path, f"{ratio:.3f}", f"{goal or '-'}", verdict
        else:
            yield path, "-", f"{goal or '-'}", "not measured"
    for ours, goal in (("plain", 60), ("vector", 160)):
        if ours in found:
            # A process that has only loaded Python and this library holds about 20 MB.
            memory = found[ours]["rss_mb"]
            yield f"{ours} replay, most memory, MB", f"{memory:.0f}", f"{goal}", "reached" if memory <= goal else "missed"
    checked = [found[one]["diff"] for one in ("plain", "vector", "compiled", "trades", "plain-tie", "vector-tie", "compiled-tie") if one in found]
    yield f"values that differ, {len(checked)} comparisons", f"{sum(checked)}", "0", "reached" if not any(checked) else "WRONG"


# -- over loopback ---------------------------------------------------------------------------------


def live(work, environment):
    """Processor time per datagram from socket to tick, saturated, and loss at 60,000 a second."""
    stem = work / "data" / "live"
    if not Path(f"{stem}.json").exists():
        told = [PYTHON, str(HERE / "gen_capture.py"), "--out", str(stem), "--messages", "400000", "--feed", "sf", "--groups", "1", "--lines", "ab"]
        subprocess.run(told, check=True, stdout=subprocess.DEVNULL, env=environment)
        subprocess.run([PYTHON, str(HERE / "mkindex.py"), str(stem)], check=True, stdout=subprocess.DEVNULL, env=environment)
    receivers = {
        "C": [str(work / "build" / "c_recv"), "51030", "index", f"{stem}.idx.txt"],
        "ours": [PYTHON, str(HERE / "ours_recv.py"), "51030", str(stem)],
    }
    costs = {}
    for _ in range(3):
        for name, command in receivers.items():
            told = receive(work, stem, command, rate=0, count=100_000)
            if told and told["recv"]:
                costs[name] = min(costs.get(name, 1e9), told["cpu"] / told["recv"] * 1e6)
    rows = []
    if len(costs) == 2:
        ratio = costs["ours"] / costs["C"]
        path = f"live, µs a datagram: {costs['ours']:.1f} / C {costs['C']:.1f}"
        rows.append(("live", path, f"{ratio:.2f}", "2.2", "reached" if ratio <= 2.2 else "missed"))
    told = receive(work, stem, receivers["ours"], rate=60_000, count=120_000)
    if told:
        path = f"live, lost at {told['send_pps']:.0f} datagrams a second"
        rows.append(("live", path, str(told["lost"]), "0", "reached" if not told["lost"] else "missed"))
    return rows


def receive(work, stem, command, *, rate, count):
    receiver = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        receiver.stdout.readline()
        told = [str(work / "build" / "c_send"), f"{stem}_AB.pcap", "51030", str(rate), str(count), "32" if not rate else "8", "ab", "14000"]
        sent = json.loads(subprocess.run(told, capture_output=True, text=True, check=True).stdout)
        said, _ = receiver.communicate(timeout=30)
        got = json.loads(said.strip().splitlines()[-1])
    except (subprocess.SubprocessError, ValueError, IndexError) as error:
        receiver.kill()
        receiver.communicate()
        print(f"{command[0]}: not measured: {error}", file=sys.stderr, flush=True)
        return None
    return dict(got, lost=sent["sent"] - got["recv"], send_pps=sent["pps"])


if __name__ == "__main__":
    sys.exit(main())
