"""./dev observers install: VictoriaLogs, Zipkin and a collector that fills both, in pinned versions."""
import hashlib
import os
import subprocess
import tempfile

from dev import gotool, packages
from dev.gotool import GoTool
from dev.report import DevError, step

VERB = "./dev observers install"
VICTORIALOGS = GoTool("victoria-logs", "infrastructure/logs/victorialogs", "github.com/VictoriaMetrics/VictoriaLogs",
                      "/app/victoria-logs", (1, 26), VERB)
OTELCOL = GoTool("otelcol", "infrastructure/otelcol", "go.opentelemetry.io/collector/otelcol", None, (1, 26), VERB)
JAVA = "/usr/bin/java"


class Jar:
    """A program for Java, as Maven's central repository has it. sha256: of the file."""

    FETCH_SECONDS = 900
    PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"

    def __init__(self, group, name, version, sha256):
        self.name, self.version, self.sha256 = name, version, sha256
        self._artifact = f"{group}:{name}:{version}:jar:exec"

    def program(self):
        return os.path.join(gotool.TOOLS, f"{self.name}-{self.version}.jar")

    def installed(self):
        return os.path.exists(self.program()) and os.path.exists(JAVA)

    def install(self):
        """Fetches it once; → its path."""
        if not self.installed():
            packages.ensure(packages.JAVA)
            step(self.name, f"fetching {self.version}")
            os.makedirs(gotool.TOOLS, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=gotool.TOOLS) as folder:
                self._fetch(folder)
        return self.program()

    def _fetch(self, folder):
        """Maven's own plugins stay in the folder, and go with it."""
        words = ["mvn", "--quiet", "--batch-mode", f"-Dmaven.repo.local={folder}/repository", self.PLUGIN,
                 f"-Dartifact={self._artifact}", f"-DoutputDirectory={folder}"]
        try:
            done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False,
                                  timeout=self.FETCH_SECONDS)
        except subprocess.TimeoutExpired:
            raise DevError(f"{self.name} was not fetched within {self.FETCH_SECONDS} s") from None
        if done.returncode != 0:
            raise DevError(f"{self.name} cannot be fetched: {(done.stderr or done.stdout).strip()}")
        made = os.path.join(folder, f"{self.name}-{self.version}-exec.jar")
        self._check(made)
        os.replace(made, self.program())

    def _check(self, path):
        with open(path, "rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != self.sha256:
            raise DevError(f"{self.name} {self.version} has the SHA-256 {found}, expected {self.sha256}")


ZIPKIN = Jar("io.zipkin", "zipkin-server", "3.5.1",
             "7ac633a6832647e71e50012a5e3e91fbc7054414955261724526030faf271d8d")
ALL = (VICTORIALOGS, OTELCOL, ZIPKIN)


def install_all():
    for one in ALL:
        one.install()


def observers(options):
    assert options.action == "install"
    for one in ALL:
        step(one.name, one.install())
    return 0
