"""The spans of an order that is confirmed: which program does what, and because of what."""

SERVICES = {"edge", "order-svc", "inventory-svc", "payment-svc", "psp-sandbox"}
TOLD = {"notify-svc", "data-svc"}  # of an order when something is done: perhaps not yet when its trace is read
# (service, kind, name): (service, name) of the parent; None: the client.
SPANS = {
    ("edge", "SERVER", "POST /api/orders"): None,
    ("order-svc", "CONSUMER", "process order.place.v1"): ("edge", "POST /api/orders"),
    ("inventory-svc", "CONSUMER", "process inventory.reserve.v1"): ("order-svc", "process order.place.v1"),
    ("order-svc", "CONSUMER", "process stock.reserved.v1"): ("inventory-svc", "process inventory.reserve.v1"),
    ("payment-svc", "CONSUMER", "process payment.charge.v1"): ("order-svc", "process stock.reserved.v1"),
    ("payment-svc", "CLIENT", "POST /v1/payment_intents"): ("payment-svc", "process payment.charge.v1"),
    ("psp-sandbox", "SERVER", "POST /v1/payment_intents"): ("payment-svc", "POST /v1/payment_intents"),
    ("order-svc", "CONSUMER", "process payment.captured.v1"): ("payment-svc", "process payment.charge.v1"),
    ("inventory-svc", "CONSUMER", "process order.confirmed.v1"): ("order-svc", "process payment.captured.v1"),
}
NAMES = {name for _, _, name in SPANS}
# Transactions of Postgres. A batch's transaction is below its first message alone.
TRANSACTIONS = {"order-svc": "transaction orders", "inventory-svc": "transaction inventory",
                "payment-svc": "transaction payments"}
