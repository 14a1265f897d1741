"""./dev chaos soak: a constant rate of orders for an hour, a random fault every three minutes, and a supervisor that
restarts what dies."""
