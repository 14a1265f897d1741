"""The keys of user-svc in the private stack: made once, read by their owner alone, kept in the state folder."""
import base64
import ctypes
import os
import subprocess

from dev import account

SERVICE = "user-svc"
_SODIUM = "libsodium.so.23"


def variables(state):
    """The variables of user-svc that name its keys and its folder."""
    folder = state.folder("user-keys")
    seal, signing = os.path.join(folder, "seal"), os.path.join(folder, "signing.pem")
    if not os.path.exists(seal):
        account.write_file(seal, _text(os.urandom(32)) + "\n", mode=0o400)
    if not os.path.exists(signing):
        account.write_file(signing, _signing_key(), mode=0o400)
    return {"SEAL_KEY_FILE": seal, "SIGNING_KEY_FILE": signing, "RESET_FOLDER": state.folder("user-resets")}


def seal_key(state):
    """The public key that passwords are sealed to."""
    with open(variables(state)["SEAL_KEY_FILE"], encoding="ascii") as file:
        secret = base64.urlsafe_b64decode(file.read().strip() + "=")
    public = ctypes.create_string_buffer(32)
    if ctypes.CDLL(_SODIUM).crypto_scalarmult_base(public, secret) != 0:
        raise RuntimeError("libsodium refuses the key in " + state.folder("user-keys"))
    return _text(public.raw)


def _text(key):
    return base64.urlsafe_b64encode(key).decode("ascii").rstrip("=")


def _signing_key():
    words = ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout
