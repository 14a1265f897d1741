"""Line charts as a small SVG: several, one below the other, over one axis of time."""
import html
import math

WIDTH, HEIGHT, LEFT, TOP, GAP = 760, 130, 60, 34, 52
PLOT = WIDTH - LEFT - 150
COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#8c564b", "#7f7f7f")
POINTS_MAX = 180


def thin(points):
    """At most so many of them, each the highest of its neighbours, so that no peak is lost."""
    step = -(-len(points) // POINTS_MAX)
    return [max(points[at:at + step], key=lambda point: point[1]) for at in range(0, len(points), step)]


def ceiling(value):
    """A round number that is not below it: 1, 2 or 5 times a power of ten."""
    size = 10.0 ** math.floor(math.log10(value))
    return next(size * factor for factor in (1, 2, 5, 10) if size * factor >= value)


def _line(points, top, highest, seconds, colour):
    text = " ".join(f"{LEFT + x / seconds * PLOT:.1f},{top + HEIGHT - y / highest * HEIGHT:.1f}"
                    for x, y in thin(points))
    return f'<polyline fill="none" stroke="{colour}" stroke-width="1.2" points="{text}"/>'


def _text(x, y, text, more=""):
    return f'<text x="{x:.0f}" y="{y:.0f}"{more}>{html.escape(text)}</text>'


def _chart(title, lines, top, seconds, marks):
    highest = ceiling(max((y for points in lines.values() for _, y in points), default=0) or 1)
    yield _text(LEFT, top - 8, title, ' font-weight="bold"')
    yield f'<rect x="{LEFT}" y="{top}" width="{PLOT}" height="{HEIGHT}" fill="none" stroke="#bbb"/>'
    for part in (0, .5, 1):
        yield _text(LEFT - 6, top + HEIGHT * (1 - part) + 4, f"{highest * part:g}", ' text-anchor="end"')
        yield _text(LEFT + PLOT * part, top + HEIGHT + 14, f"{seconds * part / 60:.3g} min", ' text-anchor="middle"')
    for at in marks:
        x = f"{LEFT + at / seconds * PLOT:.1f}"
        yield f'<line x1="{x}" x2="{x}" y1="{top}" y2="{top + HEIGHT}" stroke="#ddd"/>'
    for number, (name, points) in enumerate(lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        yield _line(points, top, highest, seconds, colour)
        yield _text(LEFT + PLOT + 10, top + 12 + 16 * number, name, f' fill="{colour}"')


def svg(charts, seconds, marks=()):
    """charts: {title: {line's name: [(second, value)]}}; marks: seconds with a thin line from top to bottom"""
    height = TOP + len(charts) * (HEIGHT + GAP)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" '
             'font-size="11">', '<rect width="100%" height="100%" fill="#fff"/>']
    for number, (title, lines) in enumerate(charts.items()):
        parts += _chart(title, lines, TOP + number * (HEIGHT + GAP), seconds, marks)
    return "\n".join([*parts, "</svg>", ""])
