"""The key files of services in a private stack: made once, read by their owner alone, kept in the state folder."""
import base64
import ctypes
import os
import subprocess

from dev import account, manifests

SERVICE = "user-svc"
_SODIUM = "libsodium.so.23"


SIGNING = "SIGNING_KEY_FILE"  # a key that signs; every other one is 32 random bytes that a service seals to


def variables(state, service):
    """{variable of the manifest's key_files: its file}"""
    folder, found = state.folder(service.short + "-keys"), {}
    for variable in service.key_files:
        name = variable.removesuffix("_KEY_FILE").lower() + (".pem" if variable == SIGNING else "")
        found[variable] = os.path.join(folder, name)
        if not os.path.exists(found[variable]):
            text = _signing_key() if variable == SIGNING else _text(os.urandom(32)) + "\n"
            account.write_file(found[variable], text, mode=0o400)
    return found


def seal_key(state):
    """The public key that passwords are sealed to."""
    with open(variables(state, manifests.named(SERVICE))["SEAL_KEY_FILE"], encoding="ascii") as file:
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
