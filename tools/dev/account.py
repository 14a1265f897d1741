"""Whom a server runs as: root hands Postgres and RabbitMQ to their own users, anybody else keeps his own."""
import os
import pwd

from dev.report import DevError


def is_root():
    return os.geteuid() == 0


def prefix(user):
    """The words in front of a command that make it run as `user`; none for an ordinary user."""
    if not is_root():
        return []
    entry = pwd.getpwnam(user)
    return ["/usr/bin/setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--init-groups",
            "--inh-caps=-all", "--no-new-privs"]


def make_folder(path, user, mode=0o700):
    """Makes a folder that belongs to `user` and proves that he can reach it."""
    os.makedirs(path, mode=0o755, exist_ok=True)
    if is_root():
        entry = pwd.getpwnam(user)
        os.chown(path, entry.pw_uid, entry.pw_gid)
        _check_reachable(path, user)
    os.chmod(path, mode)


def _check_reachable(path, user):
    above = os.path.dirname(path)
    while above != "/":
        if not os.stat(above).st_mode & 0o001:
            raise DevError(f"the user {user} cannot enter {above}, and so not its data in {path}: "
                           "choose another folder with ORDERBUS_STATE")
        above = os.path.dirname(above)


def read_file(path):
    """→ its text; None: there is no such file"""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return None


def write_file(path, text, user=None, mode=0o600):
    """Writes a file that nobody sees half-written or, for a moment, with wider rights."""
    temporary = path + ".new"
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), mode)
        if user and is_root():
            entry = pwd.getpwnam(user)
            os.fchown(file.fileno(), entry.pw_uid, entry.pw_gid)
        file.write(text)
    os.replace(temporary, path)
