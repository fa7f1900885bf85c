#!/usr/bin/env python3
"""Interleaved SFTP client bench. Appends JSON lines to --out.
  run_bench.py --cond c0,c1,c2 --work w1,w2,w3,w4 --clients all|name,name|@group --reps 3 --out results/x.jsonl
Wall = fork..main process exit. CPU = user+sys of the whole client process tree (sub-reaper, so lftp's detached ssh
children count). RSS = most at one time (sampled) of the sum of VmHWM over the processes that live: an import that runs a
compiler (asyncssh looks for a library) is not added to what came after it. srv_cpu = sshd CPU of the run's connections.
Every file is compared by sha256 with the manifest after each run. Add a client: one entry in CLIENTS."""
import argparse, ctypes, hashlib, json, os, random, resource, shutil, signal, subprocess, sys, time
HERE = os.path.dirname(os.path.abspath(__file__)); CL = HERE + "/clients/"
B = os.environ["SFTPB"]; S = "/dev/shm/sftpbench"; PY = os.environ.get("SFTPB_PY", B + "/venv/bin/python")
HOST = {"c0": "127.0.0.1", "c1": "10.99.1.2", "c2": "10.99.2.2"}; PORT = 28022
NS = {"c0": None, "c1": "/run/netns/sb1c", "c2": "/run/netns/sb2c"}
libc = ctypes.CDLL(None, use_errno=True); GCM = "aes128-gcm@openssh.com"
def sshconf(cond):
    p = "%s/run/ssh_%s.conf" % (B, cond)
    open(p, "w").write("Host bench\n HostName %s\nHost *\n Port %d\n User root\n IdentityFile %s/keys/user\n IdentitiesOnly yes\n"
      " UserKnownHostsFile %s/keys/known_hosts\n GlobalKnownHostsFile /dev/null\n StrictHostKeyChecking yes\n LogLevel ERROR\n"
      " Ciphers %s,aes128-ctr\n Compression no\n ControlMaster no\n" % (HOST[cond], PORT, B, B, os.environ.get("SSH_CIPHER", GCM)))
    return p
def py(script, *opts):
    return lambda c: [PY, CL + script, "--host", c.host, "--port", str(PORT), "--key", B + "/keys/user", "--known", B + "/keys/known_hosts",
                      "--remote", c.remote, "--dest", c.dest, *[o.replace("SSHCONF", c.conf) for o in opts]]
def sh(t): return lambda c: ["bash", "-c", "set -e; set -o pipefail; R=%s D=%s CONF=%s HOST=%s PORT=%d B=%s\n" % (c.remote, c.dest, c.conf, c.host, PORT, B) + t]
DIFF = 'LC_ALL=C comm -23 <(LC_ALL=C sort $T/r) <(ls -U "$D" | LC_ALL=C sort)'
def sftp(opts, reuse=False):
    return {"*": sh("printf 'get %%s/* %%s/\\n' $R $D | sftp -F $CONF -q %s -b - bench >/dev/null" % opts),
            "w4": sh("T=$(mktemp -d); echo ls -1 $R | sftp -F $CONF -q -b - bench | grep -v '^sftp>' | sed 's|.*/||' > $T/r\n" + DIFF +
                     " | sed \"s|.*|get $R/& $D/|\" | sftp -F $CONF -q %s -b - bench >/dev/null; rm -r $T" % opts)}
def curl(n):
    return {"*": sh("T=$(mktemp -d); U=sftp://root@$HOST:$PORT; A=\"-s -k --key $B/keys/user --pubkey $B/keys/user.pub\"; curl $A -l $U$R/ | grep -v '^[.]*$' > $T/r\n" + DIFF +
        " | sed \"s|.*|url=$U$R/&\\noutput=$D/&|\" > $T/c; curl $A -Z --parallel-immediate --parallel-max %d -K $T/c; rm -r $T" % n)}
def lftp(n, extra=""):
    return {"*": sh("lftp -c \"set sftp:connect-program 'ssh -a -x -F $CONF'; set net:max-retries 2; set xfer:clobber on; set mirror:set-permissions no; %s"
        "open -u root, sftp://bench; mirror --parallel=%d $R $D\" >/dev/null" % (extra, n))}
def rclone(n, extra=""):
    return {"*": sh("rclone copy --config /dev/null --transfers %d --checkers %d --sftp-host $HOST --sftp-port $PORT --sftp-user root --sftp-key-file $B/keys/user "
        "--sftp-known-hosts-file $B/keys/known_hosts --sftp-disable-hashcheck --no-traverse=false -q %s :sftp:$R $D" % (n, n, extra))}
def scp(o): return {"*": sh("scp -F $CONF -q %s bench:$R/* $D/" % o)}
def rs(o): return {"*": sh("rsync -rt %s -e \"ssh -F $CONF\" bench:$R/ $D/" % o)}
P = lambda *a: {"*": py(*a)}
OURS = ("ours",)   # keeps what it fetches in an archive, not as bare files: see check and prepared
CLIENTS = {
 "ours": P("c_ours.py"), "ours-2": P("c_ours.py", "--conns", "2"), "ours-4": P("c_ours.py", "--conns", "4"),
 "rawtcp": {"*": lambda c: [PY, HERE + "/rawtcp.py", "get", c.host, "28023", str(c.bytes), c.dest + "/.raw"]},
 "sftp": sftp(""), "sftp-R256-B256k": sftp("-R 256 -B 261120"), "sftp-R512": sftp("-R 512"),
 "scp": scp(""), "scp-O": scp("-O"), "rsync": rs(""), "rsync-W": rs("-W"),
 "lftp-1": lftp(1), "lftp-4": lftp(4), "lftp-8": lftp(8),
 "lftp-8-tuned": lftp(8, "set sftp:max-packets-in-flight 256; set sftp:size-read 0x3f000; set sftp:size-write 0x3f000; "),
 "lftp-2-tuned": lftp(2, "set sftp:max-packets-in-flight 256; set sftp:size-read 0x3f000; "),
 "lftp-pget4": {"*": sh("F=$(ls $R); lftp -c \"set sftp:connect-program 'ssh -a -x -F $CONF'; set sftp:max-packets-in-flight 256; set sftp:size-read 0x3f000; open -u root, sftp://bench; pget -c -n 4 $R/$F -o $D/\" >/dev/null")},
 "rclone-4": rclone(4), "rclone-16": rclone(16), "rclone-32": rclone(32), "rclone-8-255k": rclone(8, "--sftp-chunk-size 255k --sftp-concurrency 128"),
 "curl-1": curl(1), "curl-8": curl(8), "curl-32": curl(32),
 "asyncssh-naive": P("c_asyncssh.py", "--mode", "glob", "--cipher", ""),
 "asyncssh-naive-gcm": P("c_asyncssh.py", "--mode", "glob"),
 "asyncssh-c1x32": P("c_asyncssh.py", "--conc", "32"), "asyncssh-c1x32-uv": P("c_asyncssh.py", "--conc", "32", "--uvloop"),
 "asyncssh-c1x128-uv": P("c_asyncssh.py", "--conc", "128", "--uvloop"),
 "asyncssh-c2x32-uv": P("c_asyncssh.py", "--conns", "2", "--conc", "32", "--uvloop"),
 "asyncssh-c4x32-uv": P("c_asyncssh.py", "--conns", "4", "--conc", "32", "--uvloop"),
 "asyncssh-c8x16-uv": P("c_asyncssh.py", "--conns", "8", "--conc", "16", "--uvloop"),
 "asyncssh-2proc-uv": P("c_asyncssh.py", "--procs", "2", "--conc", "32", "--uvloop"),
 "asyncssh-read-c1x128-uv": P("c_asyncssh.py", "--mode", "read", "--conc", "128", "--uvloop", "--lean"),
 "asyncssh-sized-c1x128-uv": P("c_asyncssh.py", "--mode", "read", "--sized", "--conc", "128", "--uvloop", "--lean"),
 "asyncssh-sized-c1x512-uv": P("c_asyncssh.py", "--mode", "read", "--sized", "--conc", "512", "--uvloop", "--lean"),
 "asyncssh-c1x4-uv": P("c_asyncssh.py", "--conc", "4", "--uvloop"),
 "asyncssh-c4x2-uv": P("c_asyncssh.py", "--conns", "4", "--conc", "2", "--uvloop"), "asyncssh-c4x5-uv": P("c_asyncssh.py", "--conns", "4", "--conc", "5", "--uvloop"),
 "asyncssh-c1x1-uv": P("c_asyncssh.py", "--conc", "1", "--uvloop"),
 "asyncssh-c2x2-32k": P("c_asyncssh.py", "--conns", "2", "--conc", "2", "--uvloop", "--block", "32768", "--maxreq", "256"),
 "paramiko-1": P("c_paramiko.py", "--conns", "1"), "paramiko-4": P("c_paramiko.py", "--conns", "4"), "paramiko-8": P("c_paramiko.py", "--conns", "8"),
 "paramiko-prefetch-4-tuned": P("c_paramiko.py", "--conns", "4", "--mode", "prefetch", "--tune"),
 "ssh2-1": P("c_ssh2.py", "--conns", "1"), "ssh2-4": P("c_ssh2.py", "--conns", "4"), "ssh2-16": P("c_ssh2.py", "--conns", "16"),
 "pssh-4": P("c_pssh.py", "--conns", "4"), "fsspec-sftp": P("c_fsspec.py", "--impl", "sftp"), "sshfs-fsspec": P("c_fsspec.py", "--impl", "sshfs"),
 "hussh-1": P("c_hussh.py"), "hussh-4": P("c_hussh.py", "--conns", "4"),
 "asyncssh-c1x4": P("c_asyncssh.py", "--conc", "4"),
 "asyncssh-c1x4-uv-chacha": P("c_asyncssh.py", "--conc", "4", "--uvloop", "--cipher", "chacha20-poly1305@openssh.com"),
 "asyncssh-c1x4-uv-gcm256": P("c_asyncssh.py", "--conc", "4", "--uvloop", "--cipher", "aes256-gcm@openssh.com"),
 "asyncssh-c1x4-uv-ctr128": P("c_asyncssh.py", "--conc", "4", "--uvloop", "--cipher", "aes128-ctr"),
 "sftp-chacha": sftp("-c chacha20-poly1305@openssh.com"), "sftp-gcm256": sftp("-c aes256-gcm@openssh.com"), "sftp-ctr128": sftp("-c aes128-ctr"),
}
def tree(pid):
    out, st = [], [pid]
    while st:
        p = st.pop()
        try: st += [int(x) for x in open("/proc/%d/task/%d/children" % (p, p)).read().split()]
        except OSError: continue
        if p != pid: out.append(p)
    return out
def borrowed(pid):
    """Whether a process still runs in its parent's memory: it was forked and has not become another program yet."""
    parent = open("/proc/%d/stat" % pid).read().rsplit(")", 1)[1].split()[1]
    return os.readlink("/proc/%d/exe" % pid) == os.readlink("/proc/%s/exe" % parent) and open("/proc/%d/cmdline" % pid).read() == open("/proc/%s/cmdline" % parent).read()
def supervise(cmd, ns, timeout, log, wfd):
    libc.prctl(36, 1, 0, 0, 0); signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
    if ns:
        f = os.open(ns, os.O_RDONLY)
        if libc.setns(f, 0x40000000): os._exit(90)
    os.setpgid(0, 0); hwm = {}; peak = 0; t0 = time.perf_counter(); main = os.fork()
    if main == 0:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
        o = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC); os.dup2(os.open("/dev/null", 0), 0); os.dup2(o, 1); os.dup2(o, 2)
        os.execvp(cmd[0], cmd)
    wall = rc = None; killed = False
    while True:
        signal.sigtimedwait([signal.SIGCHLD], 0.03); living = 0
        for p in tree(os.getpid()):
            try:
                if borrowed(p): continue
                for l in open("/proc/%d/status" % p):
                    if l.startswith("VmHWM"): hwm[p] = max(hwm.get(p, 0), int(l.split()[1])); living += hwm[p]; break
            except OSError: pass
        peak = max(peak, living)
        try:
            while True:
                p, s = os.waitpid(-1, os.WNOHANG)
                if p == 0: break
                if p == main: wall = time.perf_counter() - t0; rc = os.waitstatus_to_exitcode(s); tend = time.perf_counter()
        except ChildProcessError: break
        now = time.perf_counter()
        if (wall is None and now - t0 > timeout) or (wall is not None and now - tend > 3):
            for p in tree(os.getpid()):
                try: os.kill(p, signal.SIGKILL)
                except OSError: pass
            killed = wall is None
    u = resource.getrusage(resource.RUSAGE_CHILDREN)
    os.write(wfd, json.dumps(dict(wall=round(wall, 4), rc=rc, timeout=killed, cpu=round(u.ru_utime + u.ru_stime, 3), user=round(u.ru_utime, 3),
             maxrss1=u.ru_maxrss, rss=max(peak, u.ru_maxrss), nproc=len(hwm))).encode()); os._exit(0)
def run(cmd, ns, timeout, log):
    r, w = os.pipe(); pid = os.fork()
    if pid == 0:
        try: supervise(cmd, ns, timeout, log, w)
        except BaseException as e: os.write(2, repr(e).encode())
        os._exit(91)
    os.close(w); d = b""
    while x := os.read(r, 65536): d += x
    os.close(r); os.waitpid(pid, 0); return json.loads(d)
class Ctx: pass
def srvcpu(cond):
    f = open("/proc/%s/stat" % open("%s/run/sshd_%s.pid" % (B, cond)).read().strip()).read().rsplit(")", 1)[1].split()
    return sum(int(x) for x in f[11:15]) / 100
def prepared(host):
    """An archive of W4 as it was before the new files came, made once by ours itself."""
    tmpl = S + "/ours_w4"
    if not os.path.isdir(tmpl):
        os.makedirs(tmpl); skip = B + "/run/w4new.json"; json.dump(json.load(open(S + "/srv/manifest.json"))["w4new"], open(skip, "w"))
        c = Ctx(); c.host = host; c.conf = ""; c.remote = S + "/srv/w4"; c.dest = tmpl
        subprocess.run(py("c_ours.py", "--skip", skip)(c), check=True, stdout=subprocess.DEVNULL)
    return tmpl
def check(dest, files, names):
    bad = 0
    for n in names:
        try:
            h = hashlib.file_digest(open(os.path.join(dest, n), "rb"), "sha256") if hasattr(hashlib, "file_digest") else None
        except OSError: bad += 1; continue
        bad += h.hexdigest() != files[n][1]
    return bad
def main():
    ap = argparse.ArgumentParser(); ap.add_argument("--cond", default="c0"); ap.add_argument("--work", default="w1"); ap.add_argument("--clients", default="all")
    ap.add_argument("--reps", type=int, default=3); ap.add_argument("--out", default=B + "/results/x.jsonl"); ap.add_argument("--timeout", type=float, default=150)
    ap.add_argument("--slow", type=float, default=40, help="a client slower than this once is not repeated"); ap.add_argument("--seed", type=int, default=1)
    a = ap.parse_args(); man = json.load(open(S + "/srv/manifest.json")); R = random.Random(a.seed)
    names = list(CLIENTS) if a.clients == "all" else a.clients.split(",")
    for w in a.work.split(","):
        files = man["files"][w]; want = man["w4new"] if w == "w4" else list(files); tmpl = S + "/dst_w4"
        if w == "w4" and not os.path.isdir(tmpl):
            os.makedirs(tmpl); new = set(want)
            for n in files:
                if n not in new: shutil.copy2(S + "/srv/w4/" + n, tmpl + "/" + n)
        for cond in a.cond.split(","):
            skip = set()
            for rep in range(a.reps):
                order = names[:]; R.shuffle(order)
                for n in order:
                    if n in skip: continue
                    spec = CLIENTS[n]; f = spec.get(w) or spec["*"]; c = Ctx(); c.host = HOST[cond]; c.conf = sshconf(cond); c.remote = S + "/srv/" + w
                    c.bytes = sum(files[x][0] for x in want)
                    if n.startswith(OURS):
                        c.dest = S + "/dst_ours"; shutil.rmtree(c.dest, ignore_errors=True)
                        shutil.copytree(prepared(HOST["c0"]), c.dest) if w == "w4" else os.makedirs(c.dest)
                    elif w == "w4":
                        c.dest = tmpl; keep = None
                        for x in os.listdir(tmpl):
                            if x not in files or x in NEW(man): os.unlink(tmpl + "/" + x)
                    else:
                        c.dest = os.environ.get("SFTPB_DST", S + "/dst"); shutil.rmtree(c.dest, ignore_errors=True); os.makedirs(c.dest)
                    s0 = srvcpu(cond); log = "%s/logs/%s_%s_%s.log" % (B, cond, w, n); r = run(f(c), NS[cond], a.timeout, log)
                    time.sleep(0.1); r["srv_cpu"] = round(srvcpu(cond) - s0, 2)
                    r["bad"] = 0 if n == "rawtcp" else check(c.dest + "/reports/bench/2026-11-20" if n.startswith(OURS) else c.dest, files, want)
                    try: r.update({"i_" + k: v for k, v in json.loads(open(log).read().strip().splitlines()[-1]).items()})
                    except Exception: pass
                    r.update(client=n, work=w, cond=cond, rep=rep, mb=round(c.bytes / 1e6, 1), load=os.getloadavg()[0])
                    open(a.out, "a").write(json.dumps(r) + "\n")
                    print("%s %s %-26s wall %7.3f cpu %6.2f srv %5.2f rss %6.1fM rc %s bad %d%s" % (cond, w, n, r["wall"], r["cpu"], r["srv_cpu"], r["rss"] / 1024, r["rc"], r["bad"], " TIMEOUT" if r["timeout"] else ""), flush=True)
                    if r["wall"] > a.slow or r["timeout"] or r["rc"] != 0 or r["bad"]: skip.add(n)
        shutil.rmtree(os.environ.get("SFTPB_DST", S + "/dst"), ignore_errors=True); shutil.rmtree(S + "/dst_ours", ignore_errors=True)
_n = []
def NEW(man):
    if not _n: _n.append(set(man["w4new"]))
    return _n[0]
if __name__ == "__main__": main()
