"""The programs of the suite `pipelines`, in pinned versions: linters of GitHub's workflows and of Dockerfiles."""
import os

from dev import paths
from dev.contract import PythonPackages
from dev.gotool import GoTool

PINNED = os.path.join("infrastructure", "pipelines")
ACTIONLINT = GoTool("actionlint", os.path.join(PINNED, "actionlint"), "github.com/rhysd/actionlint", "/cmd/actionlint",
                    (1, 25), "./dev test pipelines")
# zizmor and hadolint.
LINTERS = PythonPackages("linters", os.path.join(paths.ROOT, PINNED, "requirements.txt"), "bin", "zizmor")
