#!/usr/bin/env python3
"""Retrieval over SFTP: our wall time over that of the fastest SFTP-only peer, in one run, with a verdict.

    figures.py --work DIR [--cond c0,c1,c2] [--only w1,w2,w3,w4] [--reps 2]

Needs root for its namespaces, /dev/net/tun, a C compiler, and of the peers whatever there is (openssh-client, lftp,
rclone, curl; asyncssh, paramiko, ssh2-python).  Every file of every run is compared with what was served.  A goal that is
missed is said and is no failure; wrong bytes are."""
import argparse, json, os, shutil, statistics, subprocess, sys, time
from pathlib import Path

HERE = Path(__file__).resolve().parent
DATA = Path("/dev/shm/sftpbench")
# workload -> condition -> goal: our time over the fastest peer's; and peers that are worth their time there
GOALS = {"w1": {"c0": 1.0, "c1": 0.8, "c2": 0.6}, "w2": {"c0": 1.1, "c1": 1.3, "c2": 1.1}, "w3": {"c0": 1.3, "c2": 1.15}, "w4": {"c0": 1.4, "c1": 0.55, "c2": 0.5}}
PEERS = {
    ("w1", "c0"): "sftp curl-8 lftp-8 rclone-16 asyncssh-sized-c1x128-uv ssh2-1 paramiko-4",
    ("w1", "c1"): "lftp-8 rclone-32 asyncssh-sized-c1x128-uv asyncssh-read-c1x128-uv ssh2-16",
    ("w1", "c2"): "lftp-8 rclone-32 asyncssh-sized-c1x128-uv asyncssh-sized-c1x512-uv ssh2-16",
    ("w2", "c0"): "sftp scp lftp-2-tuned rclone-4 asyncssh-c1x4-uv ssh2-1",
    ("w2", "c1"): "lftp-2-tuned rclone-8-255k ssh2-4 asyncssh-c4x5-uv scp",
    ("w2", "c2"): "lftp-8-tuned rclone-8-255k ssh2-4 asyncssh-c4x5-uv",
    ("w3", "c0"): "sftp scp lftp-pget4 asyncssh-c1x1-uv",
    ("w3", "c2"): "lftp-pget4 rclone-8-255k sftp",
    ("w4", "c0"): "sftp curl-8 lftp-8 ssh2-4 asyncssh-sized-c1x128-uv",
    ("w4", "c1"): "lftp-8 ssh2-4 asyncssh-sized-c1x128-uv",
    ("w4", "c2"): "lftp-8 ssh2-4 asyncssh-sized-c1x128-uv",
}
OURS = {"c0": "ours", "c1": "ours-2", "c2": "ours-4"}
# A second goal of W1: against one peer by name.
NAMED = {("w1", "c1"): ("lftp-8", 0.25), ("w1", "c2"): ("rclone-32", 0.2)}
MEMORY_MIB = 80


def main():
    asked = arguments()
    work = asked.work.resolve()
    (work / "results").mkdir(parents=True, exist_ok=True)
    # Compiled as what pip installs is, even where this runs on a checkout and bytecode is turned off.
    environment = dict(os.environ, SFTPB=str(work), SFTPB_PY=sys.executable, PYTHONPYCACHEPREFIX=str(work / "compiled"))
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    subprocess.run([sys.executable, "-c", "import argparse, asyncssh, paramiko, uvloop, hkex_ops.flows.fetch, hkex_ops_sftp.source"], check=False, env=environment)
    if shutil.which("gcc") is None or os.geteuid() or not Path("/dev/net/tun").exists():
        sys.exit("figures.py: wants root, /dev/net/tun and gcc: the delay is a program between two namespaces")
    subprocess.run(["gcc", "-O2", "-o", str(work / "delaytun"), str(HERE / "delaytun.c")], check=True)
    if not (DATA / "srv" / "manifest.json").exists():
        subprocess.run([sys.executable, str(HERE / "gen_tree.py")], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["bash", str(HERE / "env.sh"), "up"], check=True, env=environment, stdout=subprocess.DEVNULL)
    rows, wrong = [], []
    try:
        for workload in asked.only.split(","):
            for condition, goal in GOALS[workload].items():
                if condition in asked.cond.split(","):
                    found = measure(workload, condition, asked.reps, work, environment)
                    rows += verdicts(workload, condition, goal, found)
                    wrong += [f"{workload} {condition} {client}" for client, runs in found.items() if client.startswith("ours") and any(run["bad"] or run["rc"] for run in runs)]
    finally:
        subprocess.run(["bash", str(HERE / "env.sh"), "down"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    print(f"\nPython {sys.version.split()[0]}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}, {time.strftime('%Y-%m-%d %H:%M')}")
    print(f"{'workload':9} {'what':52} {'measured':>9} {'goal':>6}  verdict")
    for row in rows:
        print("{:9} {:52} {:>9} {:>6}  {}".format(*row))
    for one in wrong:
        print("WRONG BYTES OR A FAILED RUN:", one)
    return 1 if wrong else 0


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="where keys, programs and results are kept")
    parser.add_argument("--cond", default="c0,c1,c2", help="c0 loopback, c1 5 ms, c2 30 ms")
    parser.add_argument("--only", default="w1,w2,w3,w4")
    parser.add_argument("--reps", type=int, default=2)
    return parser.parse_args()


def measure(workload, condition, reps, work, environment):
    """client -> its runs; interleaved and shuffled."""
    out = work / "results" / f"{workload}-{condition}.jsonl"
    out.unlink(missing_ok=True)
    clients = ",".join([OURS[condition], *PEERS[workload, condition].split()])
    told = [sys.executable, str(HERE / "run_bench.py"), "--cond", condition, "--work", workload, "--clients", clients, "--reps", str(reps), "--slow", "15", "--out", str(out)]
    subprocess.run(told, check=True, env=environment)
    found = {}
    for line in out.read_text().splitlines():
        run = json.loads(line)
        found.setdefault(run["client"], []).append(run)
    return found


def verdicts(workload, condition, goal, found):
    walls = {client: statistics.median(run["wall"] for run in runs) for client, runs in found.items() if all(not run["rc"] and not run["bad"] for run in runs)}
    ours, peers = OURS[condition], {client: wall for client, wall in walls.items() if not client.startswith("ours")}
    if ours not in walls or not peers:
        return [(f"{workload} {condition}", "not measured", "-", goal, "not measured")]
    best = min(peers, key=peers.get)
    ratio = walls[ours] / peers[best]
    rows = [(f"{workload} {condition}", f"{walls[ours]:.2f} s / {best} {peers[best]:.2f} s", f"{ratio:.2f}", goal, "reached" if ratio <= goal else "missed")]
    named = NAMED.get((workload, condition))
    if named and named[0] in peers:
        ratio = walls[ours] / peers[named[0]]
        rows.append((f"{workload} {condition}", f"the same / {named[0]} {peers[named[0]]:.2f} s", f"{ratio:.2f}", named[1], "reached" if ratio <= named[1] else "missed"))
    memory = max(run["rss"] for run in found[ours]) / 1024
    rows.append((f"{workload} {condition}", "most memory, MiB", f"{memory:.0f}", MEMORY_MIB, "reached" if memory <= MEMORY_MIB else "missed"))
    return rows


if __name__ == "__main__":
    sys.exit(main())
