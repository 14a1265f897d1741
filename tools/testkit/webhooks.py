"""Events of the payment provider as Stripe signs them."""
import hashlib
import hmac
import json
import time
import uuid


def event(order_id, psp_id, kind="payment_intent.succeeded", event_id=None):
    return json.dumps({"id": event_id or f"evt_{uuid.uuid4().hex}", "object": "event", "type": kind,
                       "data": {"object": {"id": psp_id, "metadata": {"order_id": order_id}}}})


def code(secret, signed):
    """The hexadecimal HMAC-SHA-256 of a text."""
    return hmac.new(secret.encode(), signed.encode(), hashlib.sha256).hexdigest()


def sign(secret, body, at=None):
    """The header Stripe-Signature."""
    seconds = str(int(time.time() if at is None else at))
    return f"t={seconds},v1={code(secret, f'{seconds}.{body}')}"
