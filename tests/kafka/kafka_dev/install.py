"""Brings a Kafka version's jars through mvn into the cache, once, and compiles our Java helpers."""
import hashlib
import os
import shutil
import tempfile

from kafka_dev.common import Fail, cache_root, jars, jdk_tool, locked, run, say, vdir, ver

TOOLS_FALLBACK = "4.3.1"          # newest published kafka-tools; 4.4.0 has none
HELPER_CLIENT = "3.9.2"           # kafka-clients of our helper: talks to brokers 0.10.0 .. 4.x
HELPERS = ["KafkaDevTool", "GroupReader"]
SLF4J = "1.7.36"
RECIPE = 3                        # raise it when install's choice of jars changes


def pom(deps, managed=()):
    def one(group, artifact, version, exclude=()):
        ex = "".join(f"<exclusion><groupId>{g}</groupId><artifactId>{a}</artifactId></exclusion>"
                     for g, a in exclude)
        ex = f"<exclusions>{ex}</exclusions>" if ex else ""
        return (f"<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId>"
                f"<version>{version}</version>{ex}</dependency>")
    return ("<project><modelVersion>4.0.0</modelVersion><groupId>kafka-dev</groupId>"
            "<artifactId>jars</artifactId><version>1</version><packaging>pom</packaging>"
            "<dependencyManagement><dependencies>" + "".join(one(*m) for m in managed) +
            "</dependencies></dependencyManagement>"
            "<dependencies>" + "".join(one(*d) for d in deps) + "</dependencies></project>\n")


def resolve(dest, deps, managed=()):
    """Copies the runtime jars of deps into dest/; all or nothing."""
    if not shutil.which("mvn"):
        raise Fail("mvn not found")
    os.makedirs(os.path.dirname(dest), exist_ok=True)
    tmp = tempfile.mkdtemp(prefix=".resolve-", dir=os.path.dirname(dest))
    try:
        with open(os.path.join(tmp, "pom.xml"), "w") as f:
            f.write(pom(deps, managed))
        run(["mvn", "-q", "-B", "-f", os.path.join(tmp, "pom.xml"), "dependency:copy-dependencies",
             "-DincludeScope=runtime", "-DoutputDirectory=" + os.path.join(tmp, "libs")])
        shutil.rmtree(dest, ignore_errors=True)
        os.rename(os.path.join(tmp, "libs"), dest)
    finally:
        shutil.rmtree(tmp, ignore_errors=True)


def install(version):
    """Idempotent; safe when several processes call it at once."""
    v = ver(version)
    d = vdir(version)
    ok = os.path.join(d, f"ok-{RECIPE}")
    if not os.path.exists(ok):
        with locked(os.path.join(cache_root(), ".install.lock")):
            if not os.path.exists(ok):
                say(f"kafka-dev: resolving Kafka {version} with mvn")
                scala = "2.13" if v >= (2, 4) else "2.12" if v >= (1,) else "2.11"
                junk = [("log4j", "log4j"), ("org.slf4j", "slf4j-log4j12"), ("junit", "junit"),
                        ("jline", "jline"), ("javax.mail", "mail"), ("javax.activation", "activation"),
                        ("com.sun.jmx", "jmxri"), ("com.sun.jdmk", "jmxtools"),
                        ("ch.qos.logback", "*")]
                deps = [("org.apache.kafka", "kafka_" + scala, version, junk)]
                if v >= (4,):
                    # Log4j 2: the core pom brings log4j-core, but not the SLF4J binding
                    deps += [("org.apache.logging.log4j", "log4j-slf4j-impl", "2.25.5"),
                             ("org.apache.logging.log4j", "log4j-core", "2.25.5"),
                             ("org.apache.logging.log4j", "log4j-api", "2.25.5")]
                else:
                    deps += [("org.slf4j", "slf4j-reload4j", SLF4J)]
                if v < (1,):                 # 0.10.1 .. 0.11 use javax.xml.bind, gone from JDK 11 on
                    deps += [("javax.xml.bind", "jaxb-api", "2.3.1")]
                managed = [("org.slf4j", "slf4j-api", SLF4J)]
                if (2,) <= v < (2, 4):       # ZooKeeper 3.4.13 and .14 cannot connect from JDK 14 on
                    managed += [("org.apache.zookeeper", "zookeeper", "3.4.12", junk)]
                resolve(os.path.join(d, "libs"), deps, managed)
                if v >= (4, 3):
                    # from 4.3 on DumpLogSegments is in kafka-tools, not in the core jar
                    ex = [("org.apache.kafka", "connect-runtime"), ("ch.qos.logback", "*")]
                    for tv in dict.fromkeys([version, TOOLS_FALLBACK]):
                        tdeps = [("org.apache.kafka", "kafka-tools", tv, ex),
                                 ("org.slf4j", "slf4j-nop", SLF4J)]
                        try:
                            resolve(os.path.join(d, "tools"), tdeps)
                            break
                        except Fail as e:
                            say(f"kafka-dev: kafka-tools {tv} not to be had, trying {TOOLS_FALLBACK}")
                            last = e
                    else:
                        raise last
                open(ok, "w").close()
    if v < (0, 10):
        with locked(os.path.join(cache_root(), ".install.lock")):
            compile_java(d, ["OldConsume"], jars(os.path.join(d, "libs")))
    install_helper()
    return d


def java_source(name):
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), name + ".java")) as f:
        return f.read()


def compile_java(d, names, cp):
    """Compiles these sources of ours into d/classes, unless that is what is there already."""
    out = os.path.join(d, "classes")
    paths = [os.path.join(d, name + ".java") for name in names]
    sources = [java_source(name) for name in names]
    if all(os.path.exists(os.path.join(out, name + ".class")) for name in names):
        if [read(path) for path in paths] == sources:
            return
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out)
    for path, source in zip(paths, sources):
        with open(path, "w") as f:
            f.write(source)
    run([jdk_tool("javac"), "-nowarn", "-proc:none", "--release", "17", "-cp", cp, "-d", out, *paths])


def read(path):
    with open(path) as f:
        return f.read()


def helper_dir():
    tag = hashlib.sha256("".join(map(java_source, HELPERS)).encode()).hexdigest()[:12]
    return os.path.join(cache_root(), f"helper-{HELPER_CLIENT}-{tag}")


def install_helper():
    d = helper_dir()
    ok = os.path.join(d, "ok")
    if os.path.exists(ok):
        return
    with locked(os.path.join(cache_root(), ".install.lock")):
        if os.path.exists(ok):
            return
        resolve(os.path.join(d, "libs"), [("org.apache.kafka", "kafka-clients", HELPER_CLIENT),
                                          # for OAUTHBEARER
                                          ("com.fasterxml.jackson.core", "jackson-databind", "2.16.2"),
                                          ("org.slf4j", "slf4j-simple", SLF4J)])
        compile_java(d, HELPERS, jars(os.path.join(d, "libs")))
        open(ok, "w").close()
