"""Processes that this tool started: spawned, signalled and ended by pid and start time, never by name."""
import contextlib
import os
import re
import signal
import subprocess
import time

from kafka_dev.common import Fail


def proc_stat(pid):
    """(state letter, start ticks) or None; the start time guards against a reused pid."""
    try:
        with open(f"/proc/{pid}/stat") as f:
            rest = f.read().rsplit(")", 1)[1].split()
        return rest[0], int(rest[19])
    except (OSError, IndexError, TypeError):
        return None


def alive(p):
    if not p or not p.get("pid"):
        return False
    s = proc_stat(p["pid"])
    return bool(s and s[1] == p["ticks"] and s[0] != "Z")


def rss_mb(pid):
    try:
        with open(f"/proc/{pid}/status") as f:
            return round(int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1)) / 1024)
    except (OSError, AttributeError):
        return None


def spawn(cmd, log, cwd, env=None):
    with open(log, "ab") as out:
        p = subprocess.Popen(cmd, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                             cwd=cwd, start_new_session=True, env=env)
    s = proc_stat(p.pid)
    return {"pid": p.pid, "ticks": s[1] if s else -1}


def signal_proc(p, sig):
    if alive(p):
        os.kill(p["pid"], sig)


def reap(pid):
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def end(procs, grace):
    """SIGTERM, then SIGKILL after grace seconds. Only pids that we started."""
    procs = [p for p in procs if alive(p)]
    for p in procs:
        signal_proc(p, signal.SIGCONT)
        signal_proc(p, signal.SIGTERM if grace > 0 else signal.SIGKILL)
    deadline = time.time() + grace
    while time.time() < deadline and any(alive(p) for p in procs):
        time.sleep(0.05)
        for p in procs:
            reap(p["pid"])
    for p in procs:
        signal_proc(p, signal.SIGKILL)
    for _ in range(100):
        for p in procs:
            reap(p["pid"])
        if not any(alive(p) for p in procs):
            return
        time.sleep(0.05)
    raise Fail("a process outlived SIGKILL")
