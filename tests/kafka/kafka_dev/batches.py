"""What is on disk: batch headers without a JVM, and DumpLogSegments."""
import glob
import json
import os
import struct
import subprocess
import zlib

from kafka_dev.common import Fail, jars, vdir
from kafka_dev.state import load
from kafka_dev.settings import JVM_SMALL, kafka_class

CODECS = ["none", "gzip", "snappy", "lz4", "zstd", "?5", "?6", "?7"]


def segments(st, topic, partition, only=None):
    for b in st["brokers"]:
        if only and b["id"] != only:
            continue
        fs = sorted(glob.glob(os.path.join(glob.escape(os.path.join(
            st["dir"], "data", str(b["id"]), f"{topic}-{partition}")), "*.log")))
        if fs:
            return fs
    raise Fail(f"no segments of {topic}-{partition} on disk")


def cmd_dump_log(a):
    st = load(os.path.abspath(a.dir))
    files = a.files.split(",") if a.files else segments(st, a.topic, a.partition, a.broker)
    d = vdir(st["version"])
    tools = os.path.join(d, "tools")
    new = os.path.isdir(tools)
    args = ["--deep-iteration", "--files", ",".join(files)]
    if not a.no_data:
        args.append("--print-data-log")
    if new:
        argv = [st["java"]] + JVM_SMALL + ["-cp", jars(tools), "org.apache.kafka.tools.DumpLogSegments"] + args
    else:
        argv = kafka_class(st, "kafka.tools.DumpLogSegments", args)
    return subprocess.run(argv, stdin=subprocess.DEVNULL).returncode


_crc32c = None


def crc32c(data):
    global _crc32c
    if _crc32c is None:
        _crc32c = []
        for i in range(256):
            for _ in range(8):
                i = (i >> 1) ^ (0x82F63B78 if i & 1 else 0)
            _crc32c.append(i)
    c = 0xFFFFFFFF
    for x in data:
        c = (c >> 8) ^ _crc32c[(c ^ x) & 0xFF]
    return c ^ 0xFFFFFFFF


def cmd_batches(a):
    """One JSON line per on-disk batch (v2) or outer message (v0/v1); no JVM."""
    st = load(os.path.abspath(a.dir))
    for path in segments(st, a.topic, a.partition, a.broker):
        with open(path, "rb") as f:
            data = f.read()
        at = 0
        while at + 17 <= len(data):
            base, size = struct.unpack_from(">qi", data, at)
            if size <= 0 or at + 12 + size > len(data):
                break                        # preallocated or torn tail
            magic = data[at + 16]
            row = {"base_offset": base, "size": size + 12, "magic": magic}
            if magic == 2:
                (epoch, _m, crc, attr, delta, t0, t1, pid, pe, seq, n) = struct.unpack_from(
                    ">ibIhiqqqhii", data, at + 12)
                row.update({"last_offset": base + delta, "count": n, "codec": CODECS[attr & 7],
                            "timestamp_type": "LogAppendTime" if attr & 8 else "CreateTime",
                            "transactional": bool(attr & 16), "control": bool(attr & 32),
                            "producer_id": pid, "producer_epoch": pe, "base_sequence": seq,
                            "leader_epoch": epoch, "base_timestamp": t0, "max_timestamp": t1, "crc": crc})
                if a.crc:
                    row["crc_ok"] = crc32c(data[at + 21:at + 12 + size]) == crc
            else:
                crc, _m, attr = struct.unpack_from(">Ibb", data, at + 12)
                p = at + 18
                row["codec"] = CODECS[attr & 7]
                if magic == 1:
                    row["timestamp"], = struct.unpack_from(">q", data, p)
                    row["timestamp_type"] = "LogAppendTime" if attr & 8 else "CreateTime"
                    p += 8
                row["key_size"], = struct.unpack_from(">i", data, p)
                p += 4 + max(row["key_size"], 0)
                row["value_size"], = struct.unpack_from(">i", data, p)
                row["crc"] = crc
                if a.crc:
                    row["crc_ok"] = zlib.crc32(data[at + 16:at + 12 + size]) == crc
            print(json.dumps(row))
            at += 12 + size
    return 0
