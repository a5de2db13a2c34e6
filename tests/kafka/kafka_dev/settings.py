"""Broker settings per version: listeners, security, logging, and the command lines of Kafka's own classes."""
import os

from kafka_dev.common import Fail, HOST, jars, vdir, ver

STORE_PASS = "changeit"           # test-only key stores
USERS = {"alice": "alice-secret", "bob": "bob-secret"}
#            name: (protocol, mechanisms, certificate)
LISTENERS = {
    "plaintext":      ("PLAINTEXT", [], None),
    "ssl":            ("SSL", [], "server"),
    "mtls":           ("SSL", [], "server"),      # client certificate required
    "ssl_badhost":    ("SSL", [], "badhost"),     # certificate for another host name
    "ssl_expired":    ("SSL", [], "expired"),
    "sasl_plain":     ("SASL_PLAINTEXT", ["PLAIN"], None),
    "sasl_scram":     ("SASL_PLAINTEXT", ["SCRAM-SHA-256", "SCRAM-SHA-512"], None),
    "sasl_oauth":     ("SASL_PLAINTEXT", ["OAUTHBEARER"], None),
    "sasl_ssl_plain": ("SASL_SSL", ["PLAIN"], "server"),
    "sasl_ssl_scram": ("SASL_SSL", ["SCRAM-SHA-256", "SCRAM-SHA-512"], "server"),
    "sasl_ssl_oauth": ("SASL_SSL", ["OAUTHBEARER"], "server"),
}
JVM_SMALL = ["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto",
             "-Djava.net.preferIPv4Stack=true"]


def jaas_line(mech):
    m = "org.apache.kafka.common.security."
    if mech == "PLAIN":
        return (m + "plain.PlainLoginModule required username=\"broker\" password=\"broker-secret\" " +
                " ".join(f'user_{u}="{p}"' for u, p in USERS.items()))
    if mech.startswith("SCRAM"):
        return m + "scram.ScramLoginModule required"
    return m + 'oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker"'


def write_props(path, props):
    with open(path, "w") as f:
        for k, v in props.items():
            f.write(f"{k}={v}\n")


def broker_props(d, st, b):
    v = ver(st["version"])
    n = len(st["brokers"])
    ports = b["ports"]
    rf, isr = min(3, n), min(2, n)
    p = {"log.dirs": os.path.join(d, "data", str(b["id"])),
         "num.partitions": 1,
         "default.replication.factor": rf,
         "auto.create.topics.enable": str(st["auto_create"]).lower(),
         "delete.topic.enable": "true",
         "offsets.topic.replication.factor": rf,
         "offsets.topic.num.partitions": 4,
         "log.cleaner.dedupe.buffer.size": 4194304}
    if v >= (0, 11):
        p.update({"transaction.state.log.replication.factor": rf, "transaction.state.log.min.isr": isr,
                  "transaction.state.log.num.partitions": 4, "group.initial.rebalance.delay.ms": 0})
    if v >= (4,):
        p.update({"share.coordinator.state.topic.replication.factor": rf,
                  "share.coordinator.state.topic.min.isr": isr,
                  "share.coordinator.state.topic.num.partitions": 1})
    if st["mode"] == "kraft":
        voters = ",".join(f"{x['id']}@{HOST}:{x['ports']['controller']}" for x in st["brokers"])
        p.update({"process.roles": "broker,controller", "node.id": b["id"],
                  "controller.quorum.voters": voters, "controller.listener.names": "CONTROLLER"})
    else:
        p.update({"broker.id": b["id"], "zookeeper.connect": f"{HOST}:{st['zk']['port']}",
                  "zookeeper.session.timeout.ms": 6000, "zookeeper.connection.timeout.ms": 30000})
    if st["authorizer"]:
        p["authorizer.class.name"] = (
            "org.apache.kafka.metadata.authorizer.StandardAuthorizer" if st["mode"] == "kraft" else
            "kafka.security.authorizer.AclAuthorizer" if v >= (2, 4) else
            "kafka.security.auth.SimpleAclAuthorizer")
        p["super.users"] = "User:ANONYMOUS;User:broker"
        p["allow.everyone.if.no.acl.found"] = "true"
    tls = os.path.join(d, "tls")

    def ssl(prefix, cert):
        return {prefix + "ssl.keystore.location": os.path.join(tls, cert + ".p12"),
                prefix + "ssl.keystore.password": STORE_PASS, prefix + "ssl.key.password": STORE_PASS,
                prefix + "ssl.keystore.type": "PKCS12",
                prefix + "ssl.truststore.location": os.path.join(tls, "trust.p12"),
                prefix + "ssl.truststore.password": STORE_PASS, prefix + "ssl.truststore.type": "PKCS12"}
    if v < (0, 9):
        p.update({"host.name": HOST, "advertised.host.name": HOST, "port": ports["plaintext"]})
    elif v < (0, 10, 2):                     # before named listeners
        ls = [f"{LISTENERS[n][0]}://{HOST}:{ports[n]}" for n in dict.fromkeys(["plaintext"] + st["listeners"])]
        p.update({"listeners": ",".join(ls), "advertised.listeners": ",".join(ls)})
        if "ssl" in st["listeners"]:
            p.update(ssl("", "server"))
    else:
        names = ["internal"] + st["listeners"]
        ls = [f"{n.upper()}://{HOST}:{ports[n]}" for n in names]
        adv = [f"{n.upper()}://{st['advertise'] if n != 'internal' else HOST}:{ports[n]}" for n in names]
        pm = [f"{n.upper()}:{'PLAINTEXT' if n == 'internal' else LISTENERS[n][0]}" for n in names]
        if st["mode"] == "kraft":
            ls.append(f"CONTROLLER://{HOST}:{ports['controller']}")
            pm.append("CONTROLLER:PLAINTEXT")
        p.update({"listeners": ",".join(ls), "advertised.listeners": ",".join(adv),
                  "listener.security.protocol.map": ",".join(pm),
                  "inter.broker.listener.name": "INTERNAL"})
        mechs = set()
        for n in st["listeners"]:
            proto, ms, cert = LISTENERS[n]
            pre = f"listener.name.{n}."
            if cert and v < (0, 11):         # per-listener SSL settings came with 0.11
                p.update(ssl("", cert))
            elif cert:
                p.update(ssl(pre, cert))
                p[pre + "ssl.client.auth"] = "required" if n == "mtls" else "none"
            mechs.update(ms)
            if ms and v >= (1, 1):
                p[pre + "sasl.enabled.mechanisms"] = ",".join(ms)
                for m in ms:
                    p[pre + m.lower() + ".sasl.jaas.config"] = jaas_line(m) + ";"
        if mechs and v < (1, 1):             # before per-listener SASL: one list, and a JAAS file
            p["sasl.enabled.mechanisms"] = ",".join(sorted(mechs))
            with open(os.path.join(d, "jaas.conf"), "w") as f:
                f.write("KafkaServer {\n" + "".join(
                    f"  {jaas_line(m)};\n" for m in sorted(mechs) if m != "SCRAM-SHA-512") + "};\n")
    p.update(st["props"])
    return p


LOG4J1 = """log4j.rootLogger=%LEVEL%, out
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=[%d] %p %m (%c)%n
"""
LOG4J2 = """status=error
rootLogger.level=%LEVEL%
rootLogger.appenderRef.out.ref=out
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=[%d] %p %m (%c)%n
"""


def log_opts(d, version, level):
    """One log configuration file per level, in the cluster's directory."""
    two = ver(version) >= (4,)
    path = os.path.join(d, f"log4j{'2' if two else ''}-{level}.properties")
    text = (LOG4J2 if two else LOG4J1).replace("%LEVEL%", level)
    if not os.path.exists(path):
        with open(path + ".tmp", "w") as f:
            f.write(text)
        os.replace(path + ".tmp", path)
    return ["-Dlog4j2.configurationFile=" + path] if two else ["-Dlog4j.configuration=file:" + path]


def needs_scram(st):
    return any("SCRAM" in m for n in st["listeners"] for m in LISTENERS[n][1])


def kafka_class(st, cls, args):
    """The command line of one of the version's own classes."""
    return ([st["java"]] + JVM_SMALL + log_opts(st["dir"], st["version"], "ERROR") +
            ["-cp", jars(os.path.join(vdir(st["version"]), "libs")), cls] + args)


def check_listeners(v, mode, listeners):
    for n in listeners:
        if n not in LISTENERS:
            raise Fail(f"unknown listener {n!r}; one of: {', '.join(LISTENERS)}")
        if v < (0, 9) and n != "plaintext":
            raise Fail("Kafka < 0.9 has only plaintext")
        if v < (0, 10, 2) and n not in ("plaintext", "ssl"):
            raise Fail("Kafka < 0.10.2: only plaintext and ssl here")
        if n in ("mtls", "ssl_badhost", "ssl_expired") and v < (0, 11):
            raise Fail(n + " needs Kafka >= 0.11")
        if "oauth" in n and v < (2, 0):
            raise Fail("OAUTHBEARER needs Kafka >= 2.0")
        if "scram" in n and mode == "kraft" and v < (3, 5):
            raise Fail("SCRAM under KRaft needs Kafka >= 3.5 (use --zk)")
