"""Programs of the suite `grpc`, in pinned versions: a client, a generator of load, and rules for protos."""
import os

from dev.gotool import GoTool

PINNED = os.path.join("infrastructure", "grpc")
VERB = "./dev test grpc"
SERVICE = "orderbus.v1.OrderService"  # of edge/proto
GRPCURL = GoTool("grpcurl", os.path.join(PINNED, "grpcurl"), "github.com/fullstorydev/grpcurl", "/cmd/grpcurl", (1, 26),
                 VERB)
GHZ = GoTool("ghz", os.path.join(PINNED, "ghz"), "github.com/bojand/ghz", "/cmd/ghz", (1, 26), VERB)
BUF = GoTool("buf", os.path.join(PINNED, "buf"), "github.com/bufbuild/buf", "/cmd/buf", (1, 26, 7), VERB)
H2SPEC = GoTool("h2spec", os.path.join(PINNED, "h2spec"), "github.com/summerwind/h2spec", "/cmd/h2spec", (1, 26), VERB)


def install_all():
    for tool in (GRPCURL, GHZ, BUF, H2SPEC):
        tool.install()
