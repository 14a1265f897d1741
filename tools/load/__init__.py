"""Load on the system and what it costs: the programs of ./dev load, the bench of ./dev bench, and what they share."""
