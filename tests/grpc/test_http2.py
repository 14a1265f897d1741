"""The gRPC port under h2spec: RFC 9113 and 7541, frame by frame, most of them malformed."""
import subprocess
import xml.etree.ElementTree as tree

from dev.grpc_tools import H2SPEC, SERVICE

SECONDS = 120


def test_the_port_speaks_http2_as_specified(edges, tmp_path):
    report = tmp_path / "report.xml"
    done = subprocess.run([H2SPEC.program(), "--host", "127.0.0.1", "--port", str(edges[0].grpc_port), "--path",
                           f"/{SERVICE}/GetOrder", "--junit-report", str(report)],
                          capture_output=True, text=True, timeout=SECONDS, check=False)
    assert report.exists(), done.stdout + done.stderr
    cases = list(tree.parse(report).iter("testcase"))
    failed = [case.get("classname") for case in cases if case.find("failure") is not None]
    assert len(cases) > 100 and not failed, done.stdout
