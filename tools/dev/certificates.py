"""A private CA inside the state, and a certificate of each part of a stack, for TLS everywhere."""
import datetime
import os
import ssl
import subprocess

from dev import account, manifests
from dev.report import DevError

CA_DAYS = 3650
DAYS = 90
RENEW_DAYS = 30  # a certificate that lasts less is made again
CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
# Parts that are no services: who reads their files, and for what the certificate is.
SERVERS = {"postgres": "postgres", "rabbitmq": "rabbitmq"}
OPERATOR = "operator"  # ./dev itself and the operators' programs
GATEWAY = "gateway"    # nginx
# Every name under which a part of a stack on this machine is called.
NAMES = "DNS:localhost,IP:127.0.0.1,IP:0:0:0:0:0:0:0:1"  # and its own
USAGE = {"server": "serverAuth", "client": "clientAuth", "both": "serverAuth,clientAuth"}


def parts():
    """{name: what its certificate is for}: a service is a server of its ports and a client of the broker."""
    services = {one.name: "both" if one.broker_user else "server" for one in manifests.ALL}
    return services | dict.fromkeys(SERVERS, "server") | {OPERATOR: "client", GATEWAY: "server"}


def _openssl(*words, text=None):
    done = subprocess.run(["openssl", *words], input=text, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode != 0:
        raise DevError(f"openssl {words[0]} failed: {done.stderr.strip()}")
    return done.stdout


def expiry(path):
    """When the certificate in that file expires, in UTC."""
    found = _openssl("x509", "-in", path, "-noout", "-enddate").strip().partition("=")[2]
    return datetime.datetime.strptime(found, "%b %d %H:%M:%S %Y GMT").replace(tzinfo=datetime.timezone.utc)


class Certificates:
    """Files of one state: NAME.pem with the part's certificate, NAME.key, and ca.pem. Each key belongs to the user that
    its server runs as, and nobody else can read it."""

    def __init__(self, state):
        self.state = state

    def path(self, name):
        return os.path.join(self._folder(), name)

    def _folder(self):
        # Postgres and RabbitMQ of root's stack pass through it; every key in it has the mode 0600.
        return self.state.folder("tls", 0o711 if account.is_root() else 0o700)

    @property
    def ca(self):
        return self.path("ca.pem")

    def cert(self, name):
        return self.path(name + ".pem")

    def key(self, name):
        return self.path(name + ".key")

    def make(self, days=DAYS, every=False):
        """Makes missing certificates and those that expire soon, or every one but the CA's; → their names."""
        made = []
        if not os.path.exists(self.ca):
            self._make_ca()
            made, every = ["ca"], True
        for name, kind in parts().items():
            if every or self._is_due(name):
                self._make(name, kind, days)
                made.append(name)
        return made

    def _is_due(self, name):
        if not (os.path.exists(self.cert(name)) and os.path.exists(self.key(name))):
            return True
        return expiry(self.cert(name)) < now() + datetime.timedelta(days=RENEW_DAYS)

    def _write(self, path, text, user=None, mode=0o600):
        account.write_file(path, text, user, mode)

    def _make_ca(self):
        new = self.path("ca.key.made")
        text = _openssl("req", "-x509", *CURVE, "-keyout", new, "-days", str(CA_DAYS), "-subj",
                        f"/O=orderbus/CN=private CA of {os.path.basename(self.state.path)}",
                        "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                        "-addext", "basicConstraints=critical,CA:TRUE,pathlen:0")
        self._keep(new, self.key("ca"), None)
        self._write(self.ca, text, mode=0o644)

    def _make(self, name, kind, days):
        """The key goes last: whoever reads both meanwhile finds that they do not fit, and goes on with the old pair."""
        new = self.path(name + ".key.made")
        request = _openssl("req", *CURVE, "-new", "-keyout", new, "-subj", f"/O=orderbus/CN={name}")
        extensions = self.path(name + ".ext")
        self._write(extensions, f"subjectAltName={NAMES},DNS:{name}\nextendedKeyUsage={USAGE[kind]}\n"
                                "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
                                "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n")
        text = _openssl("x509", "-req", "-CA", self.ca, "-CAkey", self.key("ca"), "-set_serial",
                        "0x" + os.urandom(16).hex(), "-days", str(days), "-sha256", "-extfile", extensions,
                        text=request)
        os.unlink(extensions)
        self._write(self.cert(name), text, mode=0o644)
        self._keep(new, self.key(name), SERVERS.get(name))

    def _keep(self, made, path, user):
        with open(made, encoding="ascii") as file:
            self._write(path, file.read(), user)
        os.unlink(made)

    def broker_variables(self, name):
        """The variables of a client of the broker: that part's certificate, which the broker asks for."""
        return {"RABBITMQ_CA_FILE": self.ca, "RABBITMQ_CERT_FILE": self.cert(name), "RABBITMQ_KEY_FILE": self.key(name)}

    def listener_variables(self, name):
        return {"TLS_CERT_FILE": self.cert(name), "TLS_KEY_FILE": self.key(name)}

    def context(self, client=None):
        """For a client of Python: it trusts the CA alone, and shows the certificate of that part."""
        made = ssl.create_default_context(cafile=self.ca)
        if client:
            made.load_cert_chain(self.cert(client), self.key(client))
        return made

    def expiries(self):
        return {name: expiry(self.cert(name)) for name in ("ca", *parts()) if os.path.exists(self.cert(name))}


def now():
    return datetime.datetime.now(datetime.timezone.utc)
