"""RabbitMQ's management HTTP API, as far as setting up users, hosts and permissions needs it."""
import base64
import http.client
import json
import urllib.parse

from dev import urls
from dev.report import DevError


class Management:
    def __init__(self, host, port, user, password, tls=False):
        self._where = (host, port)
        self._tls = tls
        token = base64.b64encode(f"{user}:{password}".encode()).decode()
        self._headers = {"Authorization": "Basic " + token, "Content-Type": "application/json"}

    @classmethod
    def from_url(cls, text):
        """http[s]://user:password@host:port"""
        url = urls.Url(text, ("http", "https"), 15672)
        return cls(url.host, url.port, url.user, url.password, url.scheme == "https")

    def call(self, method, *path, body=None, seconds=15, query=""):
        """→ (status, decoded answer or None); ConnectionError and the like when nobody answers."""
        kind = http.client.HTTPSConnection if self._tls else http.client.HTTPConnection
        connection = kind(*self._where, timeout=seconds)
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
