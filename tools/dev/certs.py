"""./dev certs: makes the certificates of the user's stack and prints until when they last."""
import os

from dev import paths, session
from dev.certificates import CA_DAYS, DAYS, RENEW_DAYS, Certificates, now
from dev.report import DevError, step
from dev.state import State


def add_options(added):
    added.add_argument("--days", type=int, default=DAYS, help=f"how long new certificates are valid ({DAYS})")
    added.add_argument("--renew", action="store_true",
                       help=f"make every certificate again, also one that lasts longer than {RENEW_DAYS} days")
    added.add_argument("--new-ca", action="store_true", help="make the CA again, too; what trusts the old one must "
                                                             "be given the new ca.pem")


def certs(options):
    """Makes what is due and has a running stack with TLS read it."""
    if not 1 <= options.days <= CA_DAYS:
        raise DevError(f"--days {options.days}: must be 1 to {CA_DAYS}", status=2)
    state = State(paths.default_state()).create()
    stack = session.known()
    with state.lock():
        found = Certificates(state)
        if options.new_ca and os.path.exists(found.ca):
            os.unlink(found.ca)
        made = found.make(options.days, options.renew)
        step("certificates", ", ".join(made) + " made" if made else "none is due")
        if stack and stack.tls and made:
            step("reloaded", ", ".join(stack.reload_certificates()) or "nothing runs")
    for name, when in found.expiries().items():
        step(name, f"{found.cert(name)}  until {when:%Y-%m-%d %H:%M} UTC, {(when - now()).days} days")
    return 0
