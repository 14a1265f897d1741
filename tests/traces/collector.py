"""A collector for tests: takes OTLP/HTTP with JSON, and reads each request by OpenTelemetry's own messages."""
import base64
import contextlib
import http.server
import json
import socket
import sys
import threading
import time

from dev import traces

sys.path.append(traces.MESSAGES.packages())

from google.protobuf import json_format  # noqa: E402
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2  # noqa: E402
from opentelemetry.proto.trace.v1 import trace_pb2  # noqa: E402

HEADER = "Bearer canary-of-the-collector"
IDS = ("traceId", "spanId", "parentSpanId")


def _ids_in_base64(value):
    """OTLP's JSON has ids in hexadecimal, protobuf's in base64; in all else they agree."""
    if isinstance(value, list):
        return [_ids_in_base64(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {key: base64.b64encode(bytes.fromhex(one)).decode() if key in IDS else _ids_in_base64(one)
            for key, one in value.items()}


def _value(any_value):
    return getattr(any_value, any_value.WhichOneof("value"))


class Span:
    def __init__(self, service, span):
        self.service, self.message = service, span
        self.trace, self.id, self.parent = span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex()
        self.name, self.kind = span.name, trace_pb2.Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_")
        self.start, self.end = span.start_time_unix_nano, span.end_time_unix_nano
        self.attributes = {one.key: _value(one.value) for one in span.attributes}
        self.failed = span.status.code == trace_pb2.Status.STATUS_CODE_ERROR
        self.links = [(one.trace_id.hex(), one.span_id.hex()) for one in span.links]

    def __repr__(self):
        return f"{self.service}: {self.kind} {self.name} {self.id} < {self.parent or '-'} {self.attributes}"


def check(span):
    """The demands of the messages' comments that their types do not make."""
    assert len(span.message.trace_id) == 16 and any(span.message.trace_id), span
    assert len(span.message.span_id) == 8 and any(span.message.span_id), span
    assert len(span.message.parent_span_id) in (0, 8), span
    assert span.name and 0 < span.start <= span.end, span
    assert span.message.kind in trace_pb2.Span.SpanKind.values(), span
    keys = [one.key for one in span.message.attributes]
    assert all(keys) and len(keys) == len(set(keys)), span
    assert span.message.dropped_attributes_count == 0, span


class Collector:
    """
    rejects     how many spans of each request it says it rejects
    """

    def __init__(self, port):
        self.port = port
        self.rejects = 0
        self.came_at = 0.0  # the last request
        self.faults, self.bodies = [], []
        self._spans, self._lock, self._server, self._thread = [], threading.Lock(), None, None
        self._connections = []

    def start(self):
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                super().setup()
                collector._connections.append(self.connection)

            def do_POST(self):  # noqa: N802
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, answer = collector.take(self.path, self.headers, body)
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format, *args):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def stop(self):
        """Cuts kept connections as well, which their threads would go on answering."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        while self._connections:
            with contextlib.suppress(OSError):  # it ended before
                self._connections.pop().shutdown(socket.SHUT_RDWR)

    def take(self, path, headers, body):
        try:
            assert path == "/v1/traces" and headers["Content-Type"] == "application/json", path
            assert headers["Authorization"] == HEADER
            request = json_format.ParseDict(_ids_in_base64(json.loads(body)),
                                            trace_service_pb2.ExportTraceServiceRequest())
            spans = [Span({one.key: _value(one.value) for one in resource.resource.attributes}["service.name"], span)
                     for resource in request.resource_spans for scope in resource.scope_spans for span in scope.spans]
            for span in spans:
                check(span)
        except Exception as fault:  # the test says which, at its end
            self.faults.append(repr(fault))
            return 400, b"{}"
        with self._lock:
            self._spans += spans
            self.came_at = time.monotonic()
            self.bodies.append(body)
        answer = trace_service_pb2.ExportTraceServiceResponse()
        answer.partial_success.rejected_spans = min(self.rejects, len(spans))
        return 200, json_format.MessageToJson(answer).encode()

    def spans(self, trace=None):
        with self._lock:
            return [one for one in self._spans if trace in (None, one.trace)]
