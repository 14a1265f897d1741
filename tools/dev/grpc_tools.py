"""Programs of the suite `grpc`, in pinned versions: a client and a generator of load."""
import os

from dev.gotool import GoTool

PINNED = os.path.join("infrastructure", "grpc")
VERB = "./dev test grpc"
GRPCURL = GoTool("grpcurl", os.path.join(PINNED, "grpcurl"), "github.com/fullstorydev/grpcurl", "/cmd/grpcurl", (1, 26),
                 VERB)
GHZ = GoTool("ghz", os.path.join(PINNED, "ghz"), "github.com/bojand/ghz", "/cmd/ghz", (1, 26), VERB)


def install_all():
    for tool in (GRPCURL, GHZ):
        tool.install()
