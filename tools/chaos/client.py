"""Requests over kept connections, one for each thread, by a client that tells apart how a request can fail."""
import http.client
import json
import threading
import time
import urllib.parse


class Client:
    """url: of the server; seconds: then the client gives a connection up. Thread-safe."""

    def __init__(self, url, seconds):
        self._where = urllib.parse.urlsplit(url).netloc
        self._seconds = seconds
        self._local = threading.local()

    def _connection(self):
        if getattr(self._local, "connection", None) is None:
            self._local.connection = http.client.HTTPConnection(self._where, timeout=self._seconds)
        return self._local.connection

    def call(self, method, path, body, headers):
        """→ (status or one of NO_ANSWER, decoded body or None, Retry-After). A connection that had been idle may have
        been closed by the server; that is found out before anything is sent, by its age."""
        if time.monotonic() - getattr(self._local, "used", 0) > 0.25:
            self._drop()
        try:
            answer, text = self._ask(method, path, body, headers)
            self._local.used = time.monotonic()
            if answer.will_close:
                self._drop()
            return answer.status, json.loads(text) if text[:1] == b"{" else None, answer.getheader("Retry-After")
        except ConnectionRefusedError:
            self._drop()
            return "refused", None, None
        except TimeoutError:
            self._drop()
            return "timeout", None, None
        except (OSError, http.client.HTTPException, ValueError):
            self._drop()
            return "cut", None, None

    def _ask(self, method, path, body, headers):
        """→ (answer, its text). A connection that was used before and ends without a byte of an answer was closed while
        it was idle: once more on a new one, as HTTP's clients do (RFC 9112, 9.3.1)."""
        reused = getattr(self._local, "connection", None) is not None
        try:
            return self._ask_once(method, path, body, headers)
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            if not reused:
                raise
            self._drop()
            return self._ask_once(method, path, body, headers)

    def _ask_once(self, method, path, body, headers):
        connection = self._connection()
        connection.request(method, path, None if body is None else json.dumps(body),
                           {"Content-Type": "application/json", **headers})
        answer = connection.getresponse()
        return answer, answer.read()

    def _drop(self):
        if getattr(self._local, "connection", None) is not None:
            self._local.connection.close()
        self._local.connection = None
