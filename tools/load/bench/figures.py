"""Figures of several runs: percentiles, medians, and tables of them. Pure."""
import statistics

from load.soak_verdict import percentile


def quantiles(values, name, unit="ms"):
    return {f"{name} p{int(part * 100)} {unit}": percentile(values, part) for part in (.5, .95, .99)}


def summary(runs):
    """runs: a list of {figure: value}; → {figure: {"median", "least", "most", "runs"}}, in the order of the first."""
    names = list(dict.fromkeys(name for run in runs for name in run))
    found = {}
    for name in names:
        values = [run[name] for run in runs if run.get(name) is not None]
        if values:
            found[name] = {"median": statistics.median(values), "least": min(values), "most": max(values),
                           "runs": len(values)}
    return found


def show(value):
    """As many digits as say something."""
    if value is None:
        return "–"
    size = abs(value)
    return f"{value:,.0f}" if size >= 100 else f"{value:.1f}" if size >= 10 else f"{value:.2f}" if size >= 1 else (
        f"{value:.3f}" if size >= 0.0005 else "0")


def table(head, rows):
    """Lines of a Markdown table that can be read as it is; what is not text in its first row stands to the right."""
    cells = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[n]) for row in cells) for n in range(len(head))]
    yield "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells[0], widths)) + " |"
    yield "|" + "|".join("-" * (width + 1) + (":" if n else "-") for n, width in enumerate(widths)) + "|"
    for row in cells[1:]:
        yield "| " + " | ".join(cell.rjust(width) if n else cell.ljust(width)
                                for n, (cell, width) in enumerate(zip(row, widths))) + " |"
