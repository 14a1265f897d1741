"""The bench of ./dev bench: what an order costs and how many a second there can be, beside the floor of the servers."""
