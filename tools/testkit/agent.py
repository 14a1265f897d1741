"""An agent of Consul as far as registrations go, by the documented answers: 200, and 403 for a wrong token."""
import http.server
import json
import threading


class Agent:
    """Records each call as (method, path, token, decoded body, what `observe` said meanwhile)."""

    def __init__(self, token, observe):
        agent = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_PUT(self):
                length = int(self.headers.get("Content-Length", 0))
                body = json.loads(self.rfile.read(length) or b"{}")
                given = self.headers.get("X-Consul-Token")
                agent.calls.append(("PUT", self.path, given, body, observe()))
                self.send_response(agent.status or (200 if given == token else 403))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.calls, self.status = [], None
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def of(self, action):
        return [call for call in self.calls if call[1].startswith(f"/v1/agent/service/{action}")]

    def __enter__(self):
        return self

    def __exit__(self, *causes):
        self._server.shutdown()
        self._server.server_close()
