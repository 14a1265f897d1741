"""An HTTP proxy that passes every request on, and closes the connection instead of some answers to orders."""
import http.client
import http.server
import threading

ONE_IN = 4


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _pass_on(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        edge = http.client.HTTPConnection("127.0.0.1", self.server.edge_port, timeout=30)
        edge.request(self.command, self.path, body, dict(self.headers))
        answer = edge.getresponse()
        text = answer.read()
        edge.close()
        if self.command == "POST" and self.path == "/api/orders" and self.server.loses_this_one():
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("connection", "keep-alive"):
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = _pass_on

    def log_message(self, *_):
        pass


class LossyProxy(http.server.ThreadingHTTPServer):
    """lost: how many answers it has lost so far."""

    def __init__(self, edge_port):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.edge_port = edge_port
        self.lost = self._orders = 0
        self._lock = threading.Lock()

    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def loses_this_one(self):
        with self._lock:
            self._orders += 1
            loses = self._orders % ONE_IN == 0
            self.lost += loses
            return loses

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()
