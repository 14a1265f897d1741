"""The Python packages of the suite `traces`: OpenTelemetry's messages, by which the test reads what is exported."""
import glob
import os

from dev import paths
from dev.contract import PythonPackages


class Messages(PythonPackages):
    def __init__(self):
        pinned = os.path.join(paths.ROOT, "infrastructure", "otelcol", "requirements.txt")
        super().__init__("opentelemetry-proto", pinned, "bin", "python3")

    def packages(self):
        """The folder that Debian's python3 is to look into."""
        return glob.glob(os.path.join(self.folder, "lib", "python3*", "site-packages"))[0]


MESSAGES = Messages()
