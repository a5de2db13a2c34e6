"""Certificates for the TLS listeners, good and bad ones, made with openssl."""
import glob
import os
import shutil

from kafka_dev.common import jdk_tool, run
from kafka_dev.settings import STORE_PASS


def make_tls(d):
    """A CA, a second CA that signed nothing, and server/client/badhost/expired certificates."""
    t = os.path.join(d, "tls")
    if os.path.exists(os.path.join(t, "ok")):
        return t
    shutil.rmtree(t, ignore_errors=True)
    os.makedirs(t)
    ossl = ["openssl"]

    def p(name):
        return os.path.join(t, name)
    for ca in ("ca", "other-ca"):
        run(ossl + ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", "-sha256",
                    "-subj", f"/CN=kafka-dev {ca}", "-keyout", p(ca + ".key"), "-out", p(ca + ".crt"),
                    "-addext", "basicConstraints=critical,CA:TRUE",
                    "-addext", "keyUsage=critical,keyCertSign,cRLSign"])
    with open(p("ca.cnf"), "w") as f:
        f.write("[ca]\ndefault_ca=c\n[c]\ndatabase=index.txt\nserial=serial\nnew_certs_dir=.\n"
                "certificate=ca.crt\nprivate_key=ca.key\ndefault_md=sha256\npolicy=p\nunique_subject=no\n"
                "[p]\ncommonName=supplied\n")
    open(p("index.txt"), "w").close()
    with open(p("serial"), "w") as f:
        f.write("1000\n")
    for name, san, start, stop in (
            ("server", "DNS:localhost,IP:127.0.0.1", None, None),
            ("client", "DNS:client", None, None),
            ("badhost", "DNS:wrong.example", None, None),
            ("expired", "DNS:localhost,IP:127.0.0.1", "20200101000000Z", "20200201000000Z")):
        run(ossl + ["req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}",
                    "-keyout", p(name + ".key"), "-out", p(name + ".csr")])
        with open(p(name + ".ext"), "w") as f:
            f.write(f"subjectAltName={san}\nbasicConstraints=CA:FALSE\n"
                    "extendedKeyUsage=serverAuth,clientAuth\n")
        when = ["-startdate", start, "-enddate", stop] if start else ["-days", "3650"]
        run(ossl + ["ca", "-batch", "-config", "ca.cnf", "-notext", "-in", name + ".csr", "-out",
                    name + ".crt", "-extfile", name + ".ext"] + when, cwd=t)
        run(ossl + ["pkcs12", "-export", "-inkey", p(name + ".key"), "-in", p(name + ".crt"),
                    "-certfile", p("ca.crt"), "-name", name, "-passout", "pass:" + STORE_PASS,
                    "-out", p(name + ".p12")])
    run([jdk_tool("keytool"), "-importcert", "-noprompt", "-alias", "ca", "-file", p("ca.crt"),
         "-keystore", p("trust.p12"), "-storetype", "PKCS12", "-storepass", STORE_PASS])
    for junk in glob.glob(p("*.csr")) + glob.glob(p("*.ext")) + glob.glob(p("10*.pem")) + \
            glob.glob(p("index.txt*")) + glob.glob(p("serial*")):
        os.unlink(junk)
    open(p("ok"), "w").close()
    return t
