"""docs/metrics.md: the metrics of all programs, as each prints its own."""

HEAD = """# Metrics

The metrics of all programs, printed by them: `PROGRAM --print-metrics` prints those of one, and `./dev generate` writes
this document. `/metrics` of each program has its series ([ports](../infrastructure/prometheus/README.md#targets)).
Metrics of several programs come first. A histogram `M` is the series `M_bucket`, `M_sum` and `M_count`.
"""
HEADER_LINES = 2


def rows(printed):
    """(the two lines of the header, the rows) of a program's table"""
    lines = printed.splitlines()
    return lines[:HEADER_LINES], lines[HEADER_LINES:]


def markdown(printed):
    """printed: {program: its table}. Metrics of several programs first, those of one below its name."""
    programs, header = {}, []
    for program, text in printed.items():
        header, found = rows(text)
        for row in found:
            programs.setdefault(row, []).append(program)
    made = HEAD + "\n" + "\n".join(header + sorted(row for row, all_ in programs.items() if len(all_) > 1)) + "\n"
    for program in printed:
        own = sorted(row for row, all_ in programs.items() if all_ == [program])
        if own:
            made += f"\n## {program}\n\n" + "\n".join(header + own) + "\n"
    return made
