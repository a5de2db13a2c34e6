"""What every module of kafka-dev uses: versions as tuples, the cache folder, running tools."""
import contextlib
import fcntl
import glob
import os
import re
import shutil
import subprocess
import sys

DEFAULT_VERSION = "4.4.0"
HOST = "127.0.0.1"


class Fail(Exception):
    pass


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def ver(v):
    """'0.10.2.2' -> (0, 10, 2, 2)"""
    return tuple(int(x) for x in re.findall(r"\d+", v))


def cache_root():
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, "kafka-dev")


def jdk_tool(name):
    home = os.environ.get("KAFKA_DEV_JAVA_HOME") or os.environ.get("JAVA_HOME")
    if home and os.path.exists(os.path.join(home, "bin", name)):
        return os.path.join(home, "bin", name)
    found = shutil.which(name)
    if not found:
        raise Fail(f"{name} not found (set KAFKA_DEV_JAVA_HOME or put a JDK >= 17 on PATH)")
    return found


def run(cmd, **kw):
    r = subprocess.run(cmd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, text=True, errors="replace", **kw)
    if r.returncode:
        raise Fail(f"{os.path.basename(cmd[0])} failed ({r.returncode}):\n{r.stdout[-3000:]}")
    return r.stdout


@contextlib.contextmanager
def locked(path):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        yield


def vdir(version):
    return os.path.join(cache_root(), version)


def jars(d):
    return ":".join(sorted(glob.glob(os.path.join(d, "*.jar"))))
