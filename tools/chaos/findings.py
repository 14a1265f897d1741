"""The result of a check of the invariants: the violations of each, and what was looked at."""

TITLES = {
    1: "every accepted order exists and is final",
    2: "one capture an order, and captured - refunded is its total if CONFIRMED, else 0",
    3: "stock: received = on hand + reserved + sold, no order holds any, sold is what CONFIRMED orders and own "
       "reservations hold",
    4: "the fold of each order's events is its row",
    5: "outboxes empty, no inbox id twice, nothing dead without a cause",
}
SHOWN = 10  # violations of one kind


class Findings:
    def __init__(self):
        self._wrong = {number: [] for number in TITLES}
        self._notes = {number: "" for number in TITLES}

    def add(self, number, text):
        self._wrong[number].append(text)

    def note(self, number, text):
        self._notes[number] = text

    def violations(self, shown=SHOWN):
        """At most so many of a kind; None: all of them."""
        found = []
        for number, wrong in self._wrong.items():
            found += [f"invariant {number}: {text}" for text in wrong[:shown]]
            if shown is not None and len(wrong) > shown:
                found.append(f"invariant {number}: and {len(wrong) - shown} more")
        return found

    def texts(self):
        return {(number, text) for number, wrong in self._wrong.items() for text in wrong}

    def keep(self, texts):
        for number, wrong in self._wrong.items():
            wrong[:] = [text for text in wrong if (number, text) in texts]

    def only(self, number):
        """True if this one is violated and no other."""
        return [one for one, wrong in self._wrong.items() if wrong] == [number]

    def lines(self):
        for number, title in TITLES.items():
            wrong = self._wrong[number]
            yield f"{number} {'VIOLATED' if wrong else 'holds':<9} {title} ({self._notes[number]})"
            yield from (f"    {text}" for text in wrong[:SHOWN])
