"""The table of all scenarios, for people and for the documents."""
import collections


def rows(reports):
    """One row a scenario, however often it ran: sums, and the worst."""
    grouped = collections.defaultdict(list)
    for report in reports:
        grouped[report.scenario.name].append(report)
    for name, runs in grouped.items():
        worst = [report.worst_recovery() for report in runs]
        yield {"scenario": name, "runs": len(runs), "faults": sum(len(report.recoveries) for report in runs),
               "accepted": sum(report.verdict.accepted for report in runs),
               "confirmed": sum(report.verdict.statuses["CONFIRMED"] for report in runs),
               "lost": sum(len(report.verdict.lost) for report in runs),
               "doubled": sum(len(report.verdict.doubled) for report in runs),
               "worst recovery": "none" if None in worst else f"{max(worst):.1f} s",
               "result": next((report.word() for report in runs if not report.good()), "ok")}


def markdown(reports, command, date):
    found = list(rows(reports))
    names = list(found[0])
    lines = ["# Scenarios", "", f"Written by `{command}` on {date}.", "",
             "| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    lines += ["| " + " | ".join(str(row[name]) for name in names) + " |" for row in found]
    total = {name: sum(row[name] for row in found) for name in ("runs", "faults", "accepted", "confirmed", "lost",
                                                                "doubled")}
    lines += ["| " + " | ".join(str(total.get(name, "all" if name == "scenario" else "")) for name in names) + " |"]
    for report in {report.scenario.name: report for report in reports}.values():
        lines += ["", f"## {report.scenario.name}", "", report.scenario.text, ""]
        lines += [f"- {'kept' if line.good else 'BROKEN'}: {line.episode}: {line.text} ({line.figure})"
                  for line in report.lines]
    return "\n".join(lines) + "\n"


def table(reports):
    """For a terminal."""
    found = list(rows(reports))
    names = list(found[0])
    widths = [max(len(name), *(len(str(row[name])) for row in found)) for name in names]
    for cells in [names, *([str(row[name]) for name in names] for row in found)]:
        yield "  ".join(cell.ljust(width) for cell, width in zip(cells, widths)).rstrip()
