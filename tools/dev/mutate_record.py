"""The JSON lines of a run of ./dev mutate: what was chosen and what became of it, so that --resume goes on."""
import dataclasses
import hashlib
import json
import os
import threading

from dev.mutate_operators import Mutant
from dev.mutate_trial import Verdict
from dev.report import DevError

CHOSEN, NOT_C, SAME, TWICE = "chosen", "does not compile", "same object", "duplicate"


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


class Record:
    """Lines are appended one by one; the last one about a mutant holds."""

    def __init__(self, path: str, settings: dict, resume: bool):
        self.path, self.settings = path, settings
        self.choices: dict[str, dict] = {}
        self.verdicts: dict[str, dict] = {}
        self._lock = threading.Lock()
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if resume and os.path.exists(path):
            self._read()
        else:
            with open(path, "w", encoding="utf-8") as file:
                file.write(json.dumps({"settings": settings}) + "\n")

    def _read(self) -> None:
        with open(self.path, encoding="utf-8") as file:
            lines = file.read().split("\n")
        whole = "\n".join(lines[:-1])  # a line that an interrupted run did not finish
        before = json.loads(lines[0])["settings"]
        if before != self.settings:
            raise DevError(f"{self.path} was made with {before}: --resume needs the same", status=2)
        for line in whole.split("\n")[1:]:
            entry = json.loads(line)
            (self.verdicts if "killed" in entry else self.choices)[entry["id"]] = entry
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(whole + "\n")

    def _append(self, entry: dict) -> None:
        with self._lock, open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps(entry, ensure_ascii=False) + "\n")

    def choose(self, mutant: Mutant, state: str, made: str) -> None:
        self.choices[mutant.id] = {"id": mutant.id, "state": state, "object": made}
        self._append(self.choices[mutant.id])

    def judge(self, mutant: Mutant, verdict: Verdict, tests: str) -> None:
        """tests: the digest of all that could kill it."""
        place = {"file": mutant.file, "place": mutant.place, "line": mutant.line, "kind": mutant.kind,
                 "old": mutant.old, "new": mutant.new}
        self.verdicts[mutant.id] = {"id": mutant.id} | place | dataclasses.asdict(verdict) | {"tests": tests}
        self._append(self.verdicts[mutant.id])
