"""A pass-through in front of the payment provider, which keeps each request as it was made."""
import http.client
import http.server
import threading
from typing import NamedTuple

CALL_SECONDS = 30
# Headers of the answer that are passed on; the others belong to one connection.
PASSED_ON = ("Content-Type", "Retry-After", "Idempotent-Replayed")


class Call(NamedTuple):
    method: str
    path: str
    headers: list  # [(name, value)] as they were sent
    body: bytes
    status: int = 0


def send(port, call):
    """Makes the request again, header by header; → (status, headers, body)."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=CALL_SECONDS)
    try:
        connection.putrequest(call.method, call.path, skip_host=True, skip_accept_encoding=True)
        for name, value in call.headers:
            connection.putheader(name, value)
        connection.endheaders(call.body or None)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


class Recorder:
    """It listens at once. `target`, the provider's port, is set before the first request comes."""

    def __init__(self):
        recorder = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_call(self):
                recorder.pass_on(self)

            do_GET = do_POST = handle_call

            def log_message(self, *words):
                pass

        self.target, self.calls = None, []
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def stop(self):
        self._server.shutdown()
        self._server.server_close()

    def pass_on(self, request):
        body = request.rfile.read(int(request.headers.get("Content-Length", "0")))
        call = Call(request.command, request.path, request.headers.items(), body)
        status, headers, answer = send(self.target, call)
        self.calls.append(call._replace(status=status))
        request.send_response(status)
        for name in PASSED_ON:
            if name in headers:
                request.send_header(name, headers[name])
        request.send_header("Content-Length", str(len(answer)))
        request.end_headers()
        request.wfile.write(answer)
