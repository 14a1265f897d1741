"""The receiver of a private Alertmanager: prints each alert that it is sent as one line of JSON. Needs only Python."""
import http.server
import json
import sys
import time

MOST_BYTES = 1 << 20


def lines(receiver, body, now):
    """→ one line for each alert of a notification; ValueError or KeyError if it is none."""
    for alert in json.loads(body)["alerts"]:
        labels = alert["labels"]
        yield json.dumps({"ts": now, "receiver": receiver, "status": alert["status"], "alert": labels["alertname"],
                          "labels": labels, "starts_at": alert["startsAt"],
                          "summary": alert["annotations"].get("summary", "")})


class Relay(http.server.BaseHTTPRequestHandler):
    """Takes POST /RECEIVER with the bearer token of the server."""

    def do_POST(self):
        self.send_response(self._take())
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _take(self):
        if self.headers["Authorization"] != "Bearer " + self.server.token:
            return 401
        size = self.headers["Content-Length"] or ""
        if not size.isdigit() or int(size) > MOST_BYTES:
            return 413
        try:
            found = list(lines(self.path.strip("/"), self.rfile.read(int(size)), time.time()))
        except (ValueError, KeyError, TypeError):
            return 400
        print(*found, sep="\n", flush=True)
        return 200

    def log_message(self, *_):
        pass


def main(port, token_file):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), Relay)
    with open(token_file, encoding="utf-8") as file:
        server.token = file.read().strip()
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
