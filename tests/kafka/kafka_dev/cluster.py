"""Starting, stopping, killing, pausing and restarting brokers."""
import base64
import glob
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import time
import uuid

from kafka_dev.common import Fail, HOST, jars, jdk_tool, locked, run, say, vdir, ver
from kafka_dev.install import install
from kafka_dev.process import alive, end, proc_stat, reap, rss_mb, signal_proc, spawn
from kafka_dev.state import (SLOTS, addresses, broker, broker_log, choose_base, load, save, state_path, tail,
                             wait_ready)
from kafka_dev.settings import (LISTENERS, USERS, broker_props, check_listeners, kafka_class, log_opts,
                                needs_scram, write_props)
from kafka_dev.tls import make_tls


def broker_cmd(d, st, b):
    cp = jars(os.path.join(vdir(st["version"]), "libs"))
    cmd = [st["java"], "-Xms64m", "-Xmx" + st["heap"], "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20",
           "-XX:+ExplicitGCInvokesConcurrent", "-Djava.awt.headless=true", "-Djava.net.preferIPv4Stack=true",
           "-Dkafka.logs.dir=" + d] + log_opts(d, st["version"], st["log_level"])
    jaas = os.path.join(d, "jaas.conf")
    if os.path.exists(jaas):
        cmd.append("-Djava.security.auth.login.config=" + jaas)
    return cmd + st["jvm"] + ["-cp", cp, "kafka.Kafka", os.path.join(d, f"server-{b['id']}.properties")]


def start_broker(d, st, b):
    b.update(spawn(broker_cmd(d, st, b), broker_log(d, b["id"]), d))
    save(d, st)


def start_zk(d, st):
    conf = os.path.join(d, "zookeeper.properties")
    write_props(conf, {"dataDir": os.path.join(d, "data", "zk"), "clientPortAddress": HOST,
                       "clientPort": st["zk"]["port"], "maxClientCnxns": 0, "tickTime": 2000,
                       "admin.enableServer": "false", "4lw.commands.whitelist": "dump"})
    os.makedirs(os.path.join(d, "data", "zk"), exist_ok=True)
    cp = jars(os.path.join(vdir(st["version"]), "libs"))
    st["zk"].update(spawn([st["java"], "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                           "-Dzookeeper.jmx.log4j.disable=true",
                           "-Djava.net.preferIPv4Stack=true"] + log_opts(d, st["version"], "WARN") +
                          ["-cp", cp, "org.apache.zookeeper.server.quorum.QuorumPeerMain", conf],
                          os.path.join(d, "zookeeper.log"), d))
    save(d, st)
    deadline = time.time() + 30
    while True:
        reap(st["zk"]["pid"])
        if not alive(st["zk"]):
            raise Fail("ZooKeeper died while starting:\n" + tail(os.path.join(d, "zookeeper.log")))
        try:
            socket.create_connection((HOST, st["zk"]["port"]), timeout=1).close()
            return
        except OSError:
            if time.time() > deadline:
                raise Fail("ZooKeeper not ready after 30 s")
            time.sleep(0.05)


def zk_dump(st):
    """ZooKeeper's list of sessions and their ephemeral nodes."""
    try:
        with socket.create_connection((HOST, st["zk"]["port"]), timeout=3) as s:
            s.sendall(b"dump")
            return s.makefile("rb").read().decode(errors="replace") + "\n"
    except OSError:
        return ""


def format_storage(d, st):
    args = ["format", "-t", st["cluster_id"]]
    if needs_scram(st):
        for u, pw in USERS.items():
            for m in ("SCRAM-SHA-256", "SCRAM-SHA-512"):
                args += ["--add-scram", f"{m}=[name={u},password={pw}]"]
    ps = []
    for b in st["brokers"]:
        ps.append(subprocess.Popen(
            kafka_class(st, "kafka.tools.StorageTool",
                        args + ["-c", os.path.join(d, f"server-{b['id']}.properties")]),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True))
    for p in ps:
        out = p.communicate()[0]
        if p.returncode:
            raise Fail("storage format failed:\n" + out[-2000:])


def zk_scram(d, st):
    add = ",".join(f"{m}=[iterations=4096,password=%s]" for m in ("SCRAM-SHA-256", "SCRAM-SHA-512"))
    for u, pw in USERS.items():
        run(kafka_class(st, "kafka.admin.ConfigCommand",
                        ["--zookeeper", f"{HOST}:{st['zk']['port']}", "--alter", "--add-config",
                         add % (pw, pw), "--entity-type", "users", "--entity-name", u]))


def wipe(d):
    """Removes what earlier clusters of ours left in d, but for the certificates."""
    shutil.rmtree(os.path.join(d, "data"), ignore_errors=True)
    for pat in ("broker-*.log", "zookeeper.log", "server-*.properties", "zookeeper.properties",
                "log4j*.properties", "jaas.conf", "cluster.json", "*.tmp"):
        for f in glob.glob(os.path.join(glob.escape(d), pat)):
            os.unlink(f)


def cmd_start(a):
    d = os.path.abspath(a.dir)
    t0 = time.time()
    with locked(os.path.join(d, ".lock")):
        if os.path.exists(state_path(d)):
            st = load(d)
            if any(alive(b) for b in st["brokers"]):
                raise Fail(f"a cluster already runs in {d} (kafka-dev stop --dir ...)")
            end([st.get("zk")], 5)
        if a.keep:
            st = load(d)
            install(st["version"])
        else:
            version = a.version
            v = ver(version)
            mode = "zk" if v < (3, 3) or (a.zk and v < (4,)) else "kraft"
            if a.zk and mode != "zk":
                raise Fail("Kafka 4.x has no ZooKeeper mode")
            listeners = list(dict.fromkeys(x for x in a.listeners.split(",") if x))
            check_listeners(v, mode, listeners)
            install(version)
            if os.path.exists(os.path.join(d, "data")) and not os.path.exists(state_path(d)):
                raise Fail(f"{d} has a data folder that is not kafka-dev's")
            wipe(d)
            slots = {"controller": 0, "internal": 1}
            for i, n in enumerate(listeners):
                slots[n] = 2 + i
            if v < (0, 10, 2):
                slots["plaintext"] = slots["internal"] = 1
                slots["controller"] = 0
            base = choose_base(a.port, a.brokers, sorted(set(slots.values())))
            cid = "K" + base64.urlsafe_b64encode(uuid.uuid4().bytes).decode()[1:21] + "A"
            st = {"dir": d, "version": version, "mode": mode, "cluster_id": cid, "listeners": listeners,
                  "java": jdk_tool("java"), "heap": a.heap, "jvm": a.jvm or [], "log_level": a.log_level,
                  "auto_create": a.auto_create, "advertise": a.advertise, "authorizer": a.authorizer,
                  "props": dict(x.split("=", 1) for x in a.prop or []),
                  "zk": {"port": base} if mode == "zk" else None,
                  "brokers": [{"id": i + 1, "pid": None, "ticks": None,
                               "ports": {n: base + SLOTS * i + s for n, s in slots.items()}}
                              for i in range(a.brokers)]}
            if any(LISTENERS[n][2] for n in listeners):
                make_tls(d)
            for b in st["brokers"]:
                os.makedirs(os.path.join(d, "data", str(b["id"])))
                write_props(os.path.join(d, f"server-{b['id']}.properties"), broker_props(d, st, b))
            save(d, st)
            if mode == "kraft":
                format_storage(d, st)
        try:
            if st["mode"] == "zk":
                start_zk(d, st)
                if needs_scram(st) and not a.keep:
                    zk_scram(d, st)
            for b in st["brokers"]:
                start_broker(d, st, b)
            wait_ready(d, st, [b["id"] for b in st["brokers"]], a.timeout)
        except BaseException:
            end(st["brokers"], 0)
            end([st["zk"]], 0)
            raise
    say(f"kafka-dev: Kafka {st['version']} ({st['mode']}), {len(st['brokers'])} broker(s), "
        f"ready in {time.time() - t0:.1f} s, in {d}")
    show(st, a.json)


def show(st, as_json):
    adr = addresses(st)
    tls = os.path.join(st["dir"], "tls")
    has_tls = any(LISTENERS[n][2] for n in st["listeners"])
    if as_json:
        print(json.dumps({"dir": st["dir"], "version": st["version"], "mode": st["mode"],
                          "cluster_id": st["cluster_id"], "bootstrap": adr,
                          "tls": tls if has_tls else None, "users": USERS,
                          "zookeeper": f"{HOST}:{st['zk']['port']}" if st["zk"] else None,
                          "brokers": [{"id": b["id"], "pid": b["pid"], "ports": b["ports"],
                                       "alive": alive(b)} for b in st["brokers"]]}))
        return
    out = {"KAFKA_DEV_DIR": st["dir"], "KAFKA_VERSION": st["version"]}
    out.update({"KAFKA_" + n.upper(): a for n, a in adr.items()})
    if has_tls:
        out.update({"KAFKA_TLS_DIR": tls, "KAFKA_TLS_CA": os.path.join(tls, "ca.crt")})
    if st["zk"]:
        out["KAFKA_ZOOKEEPER"] = f"{HOST}:{st['zk']['port']}"
    for k, v in out.items():
        print(f"export {k}={shlex.quote(v)}")


def cmd_env(a):
    show(load(os.path.abspath(a.dir)), a.json)


def cmd_stop(a):
    d = os.path.abspath(a.dir)
    with locked(os.path.join(d, ".lock")):
        try:
            st = load(d)
        except Fail:
            return
        if a.broker:
            end([broker(st, a.broker)], a.grace if a.grace is not None else 30)
        else:
            end(st["brokers"], a.grace if a.grace is not None else 3)
            end([st["zk"]], 1)
            if a.purge:
                wipe(d)
                shutil.rmtree(os.path.join(d, "tls"), ignore_errors=True)


def cmd_status(a):
    d = os.path.abspath(a.dir)
    st = load(d)
    rows = []
    for b in st["brokers"]:
        s = proc_stat(b["pid"]) if alive(b) else None
        rows.append({"id": b["id"], "pid": b["pid"], "ports": b["ports"],
                     "state": "down" if not s else "paused" if s[0] == "T" else "up",
                     "rss_mb": rss_mb(b["pid"]) if s else None})
    out = {"dir": d, "version": st["version"], "mode": st["mode"], "brokers": rows}
    if st["zk"]:
        out["zookeeper"] = {"pid": st["zk"]["pid"], "state": "up" if alive(st["zk"]) else "down",
                            "rss_mb": rss_mb(st["zk"]["pid"]) if alive(st["zk"]) else None}
    print(json.dumps(out, indent=None if a.json else 1))
    return 0 if all(r["state"] == "up" for r in rows) else 3


def cmd_signal(a):
    b = broker(load(os.path.abspath(a.dir)), a.broker)
    if not alive(b):
        raise Fail(f"broker {a.broker} is not running")
    if a.cmd == "kill":
        end([b], 0)
    else:
        signal_proc(b, signal.SIGSTOP if a.cmd == "pause" else signal.SIGCONT)


def cmd_restart(a):
    d = os.path.abspath(a.dir)
    t0 = time.time()
    with locked(os.path.join(d, ".lock")):
        st = load(d)
        b = broker(st, a.broker)
        end([b], 0 if a.hard else 30)
        if st["mode"] == "zk":
            # a killed broker's session must expire first: started earlier, 0.8 never comes up
            # whole (its controller fails) and later versions exit (node exists)
            deadline = time.time() + 30
            while f"/brokers/ids/{b['id']}\n" in zk_dump(st) and time.time() < deadline:
                time.sleep(0.1)
        start_broker(d, st, b)
        wait_ready(d, st, [b["id"]], a.timeout)
    say(f"kafka-dev: broker {a.broker} ready in {time.time() - t0:.1f} s")
