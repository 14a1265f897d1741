"""RabbitMQ's management HTTP API, as far as setting up users, hosts and permissions needs it."""
import base64
import http.client
import json
import ssl
import urllib.parse

from dev import urls
from dev.report import DevError


def connect(host, port, context=None, seconds=5):
    """context: of TLS; None: plain HTTP"""
    if context:
        return http.client.HTTPSConnection(host, port, timeout=seconds, context=context)
    return http.client.HTTPConnection(host, port, timeout=seconds)


class Management:
    def __init__(self, host, port, user, password, context=None):
        """context: makes that of TLS, when a call is made; None: plain HTTP"""
        self._where = (host, port)
        self._context = context
        token = base64.b64encode(f"{user}:{password}".encode()).decode()
        self._headers = {"Authorization": "Basic " + token, "Content-Type": "application/json"}

    @classmethod
    def from_url(cls, text, certificates=None):
        """http[s]://user:password@host:port. certificates: of a private CA; None: the system's."""
        url = urls.Url(text, ("http", "https"), 15672)
        context = None
        if url.scheme == "https":
            context = certificates.context if certificates else ssl.create_default_context
        return cls(url.host, url.port, url.user, url.password, context)

    def call(self, method, *path, body=None, seconds=15, query=""):
        """→ (status, decoded answer or None); ConnectionError and the like when nobody answers."""
        connection = connect(*self._where, self._context and self._context(), seconds)
        try:
            words = "/".join(urllib.parse.quote(word, safe="") for word in path)
            text = None if body is None else json.dumps(body)
            connection.request(method, "/api/" + words + query, text, self._headers)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        return answer.status, json.loads(text) if text[:1] in (b"{", b"[") else None

    def must(self, method, *path, body=None, seconds=15, query=""):
        """The same, but every answer outside 2xx is an error."""
        try:
            status, answer = self.call(method, *path, body=body, seconds=seconds, query=query)
        except OSError as error:
            where = f"{self._where[0]}:{self._where[1]}"
            raise DevError(f"the management API at {where} does not answer: {error}") from None
        if not 200 <= status < 300:
            raise DevError(f"RabbitMQ refused {method} /api/{'/'.join(path)}: {status} {answer}")
        return answer
