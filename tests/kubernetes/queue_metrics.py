"""An adapter of metrics for one test: it answers the autoscalers as prometheus-adapter does, with numbers that the test
chooses."""
import datetime
import http.server
import json
import os
import ssl
import subprocess
import threading
import urllib.parse

API = "external.metrics.k8s.io/v1beta1"
METRIC = "orderbus_queue_messages"


class Adapter:
    """lengths: {queue: messages}, which may change while it runs."""

    def __init__(self, folder):
        self.lengths = {}
        key, certificate = (os.path.join(folder, name) for name in ("key.pem", "certificate.pem"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost",
                        "-days", "1", "-keyout", key, "-out", certificate], check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def end(self):
        self._server.shutdown()
        self._server.server_close()

    def objects(self, namespace):
        """Objects by which the API server passes questions on to this adapter."""
        group, version = API.split("/")
        service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "adapter", "namespace": namespace},
                   "spec": {"type": "ExternalName", "externalName": "localhost", "ports": [{"port": self.port}]}}
        return [service, {
            "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": f"{version}.{group}"},
            "spec": {"group": group, "version": version, "groupPriorityMinimum": 100, "versionPriority": 100,
                     "insecureSkipTLSVerify": True,
                     "service": {"name": "adapter", "namespace": namespace, "port": self.port}}}]

    def _answer(self, path):
        asked = urllib.parse.urlsplit(path)
        if not asked.path.endswith(f"/{METRIC}"):
            return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": API, "resources": [
                {"name": METRIC, "singularName": "", "namespaced": True, "kind": "ExternalMetricValueList",
                 "verbs": ["get"]}]}
        queue = urllib.parse.parse_qs(asked.query)["labelSelector"][0].removeprefix("queue=")
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {"kind": "ExternalMetricValueList", "apiVersion": API, "metadata": {}, "items": [
            {"metricName": METRIC, "metricLabels": {"queue": queue}, "timestamp": now,
             "value": str(self.lengths.get(queue, 0))}]}

    def _handler(self):
        adapter = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                body = json.dumps(adapter._answer(self.path)).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass
        return Handler
