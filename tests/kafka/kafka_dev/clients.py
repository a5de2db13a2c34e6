"""Settings for clients, and what is done through Kafka's own Java clients: topics, reading, ACLs, quotas."""
import glob
import json
import os
import re
import subprocess
import time

from kafka_dev.common import Fail, HOST, jars, run, vdir, ver
from kafka_dev.install import helper_dir, install_helper
from kafka_dev.process import alive
from kafka_dev.state import addresses, load
from kafka_dev.settings import JVM_SMALL, LISTENERS, STORE_PASS, USERS, kafka_class, log_opts


def client_config(st, listener, style, mech=None, user="alice"):
    d = st["dir"]
    proto, mechs, cert = LISTENERS.get(listener, ("PLAINTEXT", [], None))
    if listener != "internal" and listener not in st["listeners"] and \
            not (ver(st["version"]) < (0, 10, 2) and listener == "plaintext"):
        raise Fail(f"this cluster has no listener {listener!r}")
    adr = addresses(st).get(listener) or addresses(st)["internal"]
    tls = os.path.join(d, "tls")
    c = {"bootstrap.servers": adr, "security.protocol": proto}
    mech = mech or (mechs[0] if mechs else None)
    if style == "librdkafka":
        if cert:
            c["ssl.ca.location"] = os.path.join(tls, "ca.crt")
        if listener == "mtls":
            c.update({"ssl.certificate.location": os.path.join(tls, "client.crt"),
                      "ssl.key.location": os.path.join(tls, "client.key")})
        if mech:
            c["sasl.mechanism"] = mech
            if mech == "OAUTHBEARER":
                c.update({"enable.sasl.oauthbearer.unsecure.jwt": "true",
                          "sasl.oauthbearer.config": f"principal={user}"})
            else:
                c.update({"sasl.username": user, "sasl.password": USERS[user]})
        if ver(st["version"]) < (0, 10):
            c.update({"api.version.request": "false", "broker.version.fallback":
                      "0.9.0" if ver(st["version"]) >= (0, 9) else "0.8.2"})
        return c
    if cert:
        c.update({"ssl.truststore.type": "PEM", "ssl.truststore.location": os.path.join(tls, "ca.crt")})
        if listener == "mtls":
            c.update({"ssl.keystore.location": os.path.join(tls, "client.p12"), "ssl.keystore.type": "PKCS12",
                      "ssl.keystore.password": STORE_PASS, "ssl.key.password": STORE_PASS})
    if mech:
        c["sasl.mechanism"] = mech
        mod = "org.apache.kafka.common.security."
        if mech == "OAUTHBEARER":
            c["sasl.jaas.config"] = (mod + "oauthbearer.OAuthBearerLoginModule required "
                                     f'unsecuredLoginStringClaim_sub="{user}";')
        else:
            c["sasl.jaas.config"] = (mod + ("plain.Plain" if mech == "PLAIN" else "scram.Scram") +
                                     f'LoginModule required username="{user}" password="{USERS[user]}";')
    return c


def cmd_client_config(a):
    c = client_config(load(os.path.abspath(a.dir)), a.listener, a.style, a.mechanism, a.user)
    if a.json:
        print(json.dumps(c))
    else:
        for k, v in c.items():
            print(f"{k}={v}")


def helper(st, cmd, args, listener="internal", mech=None, extra=None):
    """The command line of our Java helper (a current kafka-clients)."""
    install_helper()
    conf = client_config(st, listener, "java", mech)
    conf.update(extra or {})
    h = helper_dir()
    argv = [st["java"]] + JVM_SMALL + ["-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp",
            os.path.join(h, "classes") + ":" + jars(os.path.join(h, "libs")), "KafkaDevTool", cmd]
    return argv, json_free(conf) + list(args)


def json_free(conf):
    """Settings travel as K=V arguments behind a count."""
    return [str(len(conf))] + [f"{k}={v}" for k, v in conf.items()]


def call_helper(st, cmd, args, **kw):
    argv, rest = helper(st, cmd, args, **kw)
    return subprocess.run(argv + rest, stdin=subprocess.DEVNULL).returncode


def cmd_topic(a):
    st = load(os.path.abspath(a.dir))
    old = ver(st["version"]) < (0, 11)
    live = sum(alive(b) for b in st["brokers"])
    if a.action == "create":
        rf = a.rf or min(3, len(st["brokers"]))
        if old:
            args = ["--create", "--topic", a.topic, "--partitions", str(a.partitions),
                    "--replication-factor", str(min(rf, live))]
            for c in a.config or []:
                args += ["--config", c]
        else:
            return call_helper(st, "topic-create", [a.topic, str(a.partitions), str(rf)] + (a.config or []))
    elif a.action == "delete":
        if not old:
            return call_helper(st, "topic-delete", [a.topic])
        args = ["--delete", "--topic", a.topic]
    elif a.action == "alter":
        if not old:
            return call_helper(st, "topic-alter", [a.topic, str(a.partitions or 0)] + (a.config or []))
        args = ["--alter", "--topic", a.topic]
        if a.partitions:
            args += ["--partitions", str(a.partitions)]
        for c in a.config or []:
            args += ["--config", c]
    else:
        if not old:
            return call_helper(st, "topic-describe", [a.topic] if a.topic else [])
        args = ["--describe"] + (["--topic", a.topic] if a.topic else [])
        out = run(kafka_class(st, "kafka.admin.TopicCommand",
                              ["--zookeeper", f"{HOST}:{st['zk']['port']}"] + args))
        topics = {}
        for m in re.finditer(r"Topic: ?(\S+)\s+Partition: (\d+)\s+Leader: (-?\d+)\s+Replicas: (\S*)\s+Isr: (\S*)", out):
            topics.setdefault(m[1], []).append(
                {"partition": int(m[2]), "leader": int(m[3]), "replicas": [int(x) for x in m[4].split(",") if x],
                 "isr": [int(x) for x in m[5].split(",") if x]})
        for m in re.finditer(r"Topic: ?(\S+)\s+PartitionCount: ?\d+\s+ReplicationFactor: ?\d+\s+Configs: ?(\S*)", out):
            conf = dict(x.split("=", 1) for x in m[2].split(",") if "=" in x)
            print(json.dumps({"topic": m[1], "partitions": topics.get(m[1], []), "configs": conf}))
        if a.topic and a.topic not in topics:
            raise Fail(f"no topic {a.topic}")
        return 0
    run(kafka_class(st, "kafka.admin.TopicCommand", ["--zookeeper", f"{HOST}:{st['zk']['port']}"] + args))
    if a.action == "create":                 # until the broker itself knows it
        deadline = time.time() + 10
        while time.time() < deadline and not glob.glob(os.path.join(st["dir"], "data", "*", a.topic + "-*")):
            time.sleep(0.05)
    return 0


def cmd_consume(a):
    st = load(os.path.abspath(a.dir))
    fields = a.print or "topic,partition,offset,timestamp,timestamp_type,key,value,headers"
    args = [a.topic, "begin" if a.from_beginning else "end", str(a.max_messages),
            "follow" if a.follow or not a.from_beginning else "toend", str(int(a.timeout * 1000)),
            str(a.partition), "raw" if a.raw else "count" if a.count else fields, "text" if a.text else "base64"]
    if ver(st["version"]) < (0, 10):
        if a.raw:
            raise Fail("--raw needs Kafka >= 0.10")
        d = vdir(st["version"])
        argv = ([st["java"]] + JVM_SMALL + log_opts(st["dir"], st["version"], "ERROR") +
                ["-cp", os.path.join(d, "classes") + ":" + jars(os.path.join(d, "libs")), "OldConsume",
                 addresses(st)["internal"]] + args)
        return subprocess.run(argv, stdin=subprocess.DEVNULL).returncode
    extra = {"isolation.level": a.isolation}
    if ver(st["version"]) >= (0, 11):        # older brokers cannot be asked not to
        extra["allow.auto.create.topics"] = "false"
    return call_helper(st, "consume", args, listener=a.listener, mech=a.mechanism, extra=extra)


def cmd_read_group(a):
    """Becomes the reader, so that whoever started us speaks to it and may end it."""
    argv, rest = helper(load(os.path.abspath(a.dir)), "read-group", [a.topic, a.group, str(a.batch)])
    os.execvp(argv[0], argv + rest)


def cmd_acl(a):
    return call_helper(load(os.path.abspath(a.dir)), "acl",
                       [a.permission, "User:" + a.user, a.resource, a.name, a.op])


def cmd_quota(a):
    return call_helper(load(os.path.abspath(a.dir)), "quota", [a.user or "", a.client_id or "", str(a.rate)])
