"""Places: the checkout, its build folders, and the default folder of its state."""
import hashlib
import os
import re

TOOLS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # the one folder that imports begin in
ROOT = os.path.dirname(TOOLS)


def short_hash(text):
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def default_state():
    """ORDERBUS_STATE, else .run/; root's servers drop to other users, who may not be able to enter the checkout."""
    given = os.environ.get("ORDERBUS_STATE")
    if given:
        return os.path.abspath(given)
    if os.geteuid() == 0:
        return os.path.join("/var/lib/orderbus", short_hash(ROOT))
    return os.path.join(ROOT, ".run")


def version():
    with open(os.path.join(ROOT, "CMakeLists.txt"), encoding="utf-8") as file:
        found = re.search(r"project\(orderbus VERSION ([0-9.]+)", file.read())
    return found.group(1) if found else "unknown"
