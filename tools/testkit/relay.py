"""A mail relay of Debian's aiosmtpd, with STARTTLS by a private CA and AUTH; it keeps what it took."""
import asyncio
import email
import email.policy
import os
import socket
import ssl
import subprocess
import threading

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

USER, PASSWORD = "orderbus", "relay-secret"


def authority(folder):
    """Makes a CA and a certificate of 127.0.0.1; → (file of the CA, server's context)."""
    def make(name):
        return os.path.join(folder, name)

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True)

    new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl("req", "-x509", *new, "-days", "2", "-subj", "/CN=relay CA", "-keyout", make("ca.key"),
            "-out", make("ca.pem"))
    openssl("req", *new, "-subj", "/CN=relay", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", make("relay.key"),
            "-out", make("relay.csr"))
    openssl("x509", "-req", "-in", make("relay.csr"), "-CA", make("ca.pem"), "-CAkey", make("ca.key"),
            "-CAcreateserial", "-days", "2", "-copy_extensions", "copy", "-out", make("relay.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(make("relay.pem"), make("relay.key"))
    return make("ca.pem"), context


def _free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Relay:
    """to_recipient and to_message answer: they are called with the address, and with the mail, and return a reply. A
    reply None cuts the connection, a number waits so many seconds first."""

    def __init__(self, context):
        self.context = context
        self.mails = []         # (address, mail, whether it came under TLS)
        self.port = _free_port()
        self.to_recipient = self.to_message = lambda _: "250 2.0.0 taken"
        self._lock = threading.Lock()
        self._controller = None

    def start(self):
        relay = self

        class Handler:
            async def handle_RCPT(self, server, session, envelope, address, options):
                del server, session, options
                reply = relay.to_recipient(address)
                if reply.startswith("2"):
                    envelope.rcpt_tos.append(address)
                return reply

            async def handle_DATA(self, server, session, envelope):
                mail = email.message_from_bytes(envelope.content.replace(b"\r\n", b"\n"), policy=email.policy.default)
                with relay._lock:
                    relay.mails.append((envelope.rcpt_tos[0], mail, session.ssl is not None))
                reply = relay.to_message(mail)
                if isinstance(reply, (int, float)):
                    await asyncio.sleep(reply)
                    reply = "250 2.0.0 taken"
                if reply is None:
                    server.transport.abort()
                return reply or "451 4.3.0 gone"

        def authenticator(_server, _session, _envelope, _mechanism, data):
            good = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
            return AuthResult(success=good)

        self._controller = Controller(Handler(), hostname="127.0.0.1", port=self.port, tls_context=self.context,
                                      require_starttls=True, authenticator=authenticator, auth_required=True,
                                      ready_timeout=10)
        self._controller.start()

    def stop(self):
        self._controller.stop()

    def to(self, address):
        return [mail for one, mail, _ in list(self.mails) if one == address]
