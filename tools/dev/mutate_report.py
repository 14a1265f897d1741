"""The records of ./dev mutate: a section of docs/reliability.md, and the survivors with their explanations."""
import json
import os
import re
import time

from dev import mutate_sample, paths
from dev.report import step

DOCUMENT = os.path.join("docs", "reliability.md")
RESULTS = os.path.join("chaos-testing", "results", "mutation.md")
EXPLAINED = os.path.join("chaos-testing", "results", "mutation-explained.json")
WAYS = ("test", "assertion", "sanitizer", "crash", "timeout", "memory", "invariant")


def explanations() -> dict[str, dict]:
    """id → its place and why it survives"""
    place = os.path.join(paths.ROOT, EXPLAINED)
    if not os.path.exists(place):
        return {}
    with open(place, encoding="utf-8") as file:
        return json.load(file)


def explained(mutant: dict, known: dict[str, dict]) -> str:
    return known.get(mutant["id"], {}).get("why", "")


def percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def figures(verdicts: list[dict]) -> str:
    killed = sum(one["killed"] for one in verdicts)
    low, high = mutate_sample.interval(killed, len(verdicts))
    share = killed / len(verdicts) if verdicts else 0
    return (f"{killed} of {len(verdicts)} mutants killed: {percent(share)}, "
            f"95 % interval {100 * low:.1f} to {percent(high)}")


def short(text: str) -> str:
    """One line of Markdown's code."""
    line = re.sub(r"\s+", " ", text).replace("|", "\\|").replace("`", "'")
    return f"`{line if len(line) <= 60 else line[:57] + '...'}`" if line else "nothing"


def by_file(verdicts: list[dict], known: dict[str, dict]) -> list[str]:
    """A row for each file, and one of their sum."""
    lines = ["| file | mutants | killed | by simulation | share | survivors explained |", "|---|--:|--:|--:|--:|--:|"]
    groups: dict[str, list[dict]] = {}
    for one in sorted(verdicts, key=lambda one: one["file"]):
        groups.setdefault(f"`{one['file']}`", []).append(one)
    for name, ones in [*groups.items(), ("all", verdicts)]:
        alive = [one for one in ones if not one["killed"]]
        killed = len(ones) - len(alive)
        simulated = sum(one["by"].startswith("simulation") for one in ones)
        lines.append(f"| {name} | {len(ones)} | {killed} | {simulated} | {percent(killed / len(ones))} | "
                     f"{sum(bool(explained(one, known)) for one in alive)} of {len(alive)} |")
    return lines


def by_way(verdicts: list[dict]) -> str:
    counts = {way: sum(one["how"] == way for one in verdicts) for way in WAYS}
    return ", ".join(f"{way} {count}" for way, count in counts.items() if count)


def survivors(verdicts: list[dict], known: dict[str, dict]) -> list[str]:
    lines = ["| mutant | place | change | why it survives |", "|---|---|---|---|"]
    for one in sorted(verdicts, key=lambda one: (one["file"], one["line"])):
        if not one["killed"]:
            why = explained(one, known) or "not explained"
            lines.append(f"| {one['id']} | `{one['file']}:{one['line']}` {one['place']} | {short(one['old'])} → "
                         f"{short(one['new'])} | {why} |")
    return lines


def results(verdicts: list[dict], command: str, known: dict[str, dict]) -> str:
    return "\n".join([
        "# Mutation testing", "",
        f"Written by `{command}` on {time.strftime('%Y-%m-%d')}. {figures(verdicts)}.", "",
        f"Killed by: {by_way(verdicts)}.", "", *by_file(verdicts, known), "",
        "## Survivors", "", f"Explanations are kept in `{os.path.basename(EXPLAINED)}`, by the mutant's id.", "",
        *survivors(verdicts, known), ""])


def section(verdicts: list[dict], command: str, known: dict[str, dict]) -> str:
    alive = sum(not one["killed"] for one in verdicts)
    return "\n".join([
        "", f"`{command}`, {time.strftime('%Y-%m-%d')}: {figures(verdicts)}. Killed by: {by_way(verdicts)}.", "",
        *by_file(verdicts, known), "",
        f"[mutation.md](../{RESULTS}) lists the {alive} survivors, and why they survive where that is known.", ""])


def write(verdicts: list[dict], command: str) -> None:
    known = explanations()
    with open(os.path.join(paths.ROOT, RESULTS), "w", encoding="utf-8") as file:
        file.write(results(verdicts, command, known))
    replace("mutation", section(verdicts, command, known))
    step("written", f"{DOCUMENT}, {RESULTS}")


def replace(mark: str, text: str) -> None:
    """The lines between <!-- mark --> and <!-- end --> of the document."""
    place = os.path.join(paths.ROOT, DOCUMENT)
    with open(place, encoding="utf-8") as file:
        before = file.read()
    after = re.sub(rf"(<!-- {mark} -->\n).*?(<!-- end -->)", lambda found: f"{found[1]}{text}\n{found[2]}", before,
                   count=1, flags=re.S)
    with open(place, "w", encoding="utf-8") as file:
        file.write(after)
