"""What is known of a cluster between two commands (cluster.json), its ports, and when it is ready."""
import glob
import json
import os
import socket
import struct
import time

from kafka_dev.common import Fail, HOST, cache_root, ver
from kafka_dev.process import alive, reap

SLOTS = 16                        # ports per broker


def default_dir():
    return os.environ.get("KAFKA_DEV_DIR") or os.path.join(cache_root(), "clusters", "default")


def state_path(d):
    return os.path.join(d, "cluster.json")


def load(d):
    try:
        with open(state_path(d)) as f:
            return json.load(f)
    except FileNotFoundError:
        raise Fail(f"no cluster in {d} (start one, or give --dir)")


def save(d, st):
    tmp = state_path(d) + ".tmp"
    with open(tmp, "w") as f:
        json.dump(st, f, indent=1)
    os.replace(tmp, state_path(d))


def port_free(port):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind((HOST, port))
            return True
        except OSError:
            return False


def choose_base(want, brokers, used):
    def busy(base):
        return [base + SLOTS * b + s for b in range(brokers) for s in used
                if not port_free(base + SLOTS * b + s)]
    if want:
        b = busy(want)
        if b:
            raise Fail(f"ports in use: {b}")
        return want
    for base in range(29000, 32000, 100):
        if not busy(base):
            return base
    raise Fail("no free ports between 29000 and 32000")


def metadata(port, api_version, timeout=3):
    """Broker ids in a Metadata answer; enough of the protocol to know that a broker is up."""
    with socket.create_connection((HOST, port), timeout=timeout) as s:
        s.settimeout(timeout)
        cid = b"kafka-dev"
        body = struct.pack(">i", 0)                       # v0: no topics = all; v1+: none
        if api_version >= 4:
            body += b"\0"                                 # allow_auto_topic_creation
        head = struct.pack(">hhih", 3, api_version, 1, len(cid)) + cid
        s.sendall(struct.pack(">i", len(head) + len(body)) + head + body)
        f = s.makefile("rb")
        size, = struct.unpack(">i", f.read(4))
        data = f.read(size)
        at = 4
        if api_version >= 3:
            at += 4                                       # throttle
        n, = struct.unpack_from(">i", data, at)
        at += 4
        ids = set()
        for _ in range(n):
            i, ln = struct.unpack_from(">ih", data, at)
            at += 6 + ln + 4
            if api_version >= 1:
                rl, = struct.unpack_from(">h", data, at)
                at += 2 + max(rl, 0)
            ids.add(i)
        return ids


def md_version(version):
    v = ver(version)
    return 4 if v >= (2, 1) else 0


def wait_ready(d, st, ids, timeout):
    """Every broker in ids answers, knows all live brokers, and has its listeners open."""
    deadline = time.time() + timeout
    want = {b["id"] for b in st["brokers"] if alive(b)}
    if ver(st["version"]) < (0, 10) and not glob.glob(os.path.join(glob.escape(d), "data", "[0-9]*", "*-[0-9]*")):
        want = set()                         # 0.8 and 0.9 list no broker before there is a first topic
    todo = set(ids)
    while todo:
        for b in st["brokers"]:
            if b["id"] not in todo:
                continue
            reap(b["pid"])
            if not alive(b):
                raise Fail(f"broker {b['id']} died while starting; its log ends:\n" + tail(broker_log(d, b["id"])))
            try:
                if metadata(b["ports"]["internal"], md_version(st["version"])) >= want:
                    for name in st["listeners"]:
                        socket.create_connection((HOST, b["ports"][name]), timeout=2).close()
                    todo.discard(b["id"])
            except (OSError, struct.error):
                pass
        if todo:
            if time.time() > deadline:
                raise Fail(f"broker(s) {sorted(todo)} not ready after {timeout:.0f} s; log ends:\n" +
                           tail(broker_log(d, min(todo))))
            time.sleep(0.1)


def broker_log(d, i):
    return os.path.join(d, f"broker-{i}.log")


def tail(path, n=25):
    try:
        with open(path, errors="replace") as f:
            return "".join(f.readlines()[-n:])
    except OSError:
        return "(no log)"


def addresses(st):
    names = ["internal"] + st["listeners"]
    return {n: ",".join(f"{st['advertise'] if n != 'internal' else HOST}:{b['ports'][n]}"
                        for b in st["brokers"]) for n in names}


def broker(st, i):
    for b in st["brokers"]:
        if b["id"] == i:
            return b
    raise Fail(f"no broker {i}")
