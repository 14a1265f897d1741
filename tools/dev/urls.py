"""Database and broker URLs: taken apart, and put together again for another user."""
import re
import urllib.parse

from dev.report import DevError


class Url:
    """scheme://user:password@host:port/path?options; user, password and path are kept decoded."""

    def __init__(self, text, schemes, port, login=True):
        parts = urllib.parse.urlsplit(text)
        try:
            self.port = parts.port or port
        except ValueError:
            self.port = None
        if parts.scheme not in schemes or not parts.hostname or (login and not parts.username) or not self.port:
            raise DevError(f"a URL here reads {schemes[0]}://USER:PASSWORD@HOST:PORT/NAME")
        self.scheme = parts.scheme
        self.host = parts.hostname
        self.user = urllib.parse.unquote(parts.username or "")
        self.password = urllib.parse.unquote(parts.password or "")
        self.path = urllib.parse.unquote(parts.path[1:])
        self.options = parts.query
        self.others = ""  # further hosts, as they are written: ",host:port,host:port"

    def text(self, user=None, password=None, path=None):
        """The same place for another user; a user without a password gets none."""
        login = urllib.parse.quote(user or self.user, safe="")
        secret = password if user else self.password
        if secret:
            login += ":" + urllib.parse.quote(secret, safe="")
        host = f"[{self.host}]" if ":" in self.host else self.host
        name = urllib.parse.quote(self.path if path is None else path, safe="")
        options = "?" + self.options if self.options else ""
        return f"{self.scheme}://{login}@{host}:{self.port}{self.others}/{name}{options}"


def database(text):
    return Url(text, ("postgresql", "postgres"), 5432)


def broker(text):
    """The nodes of a cluster stand as host:port,host:port."""
    found = re.match("([^/]*//[^/@]*@[^/,]*)(,[^/]*)(.*)", text, re.DOTALL)
    url = Url(found[1] + found[3] if found else text, ("amqp", "amqps"), 5671 if text.startswith("amqps:") else 5672)
    url.others = found[2] if found else ""
    url.path = url.path or "/"
    return url


def libpq_environment(text):
    """libpq's variables for a database URL: unlike arguments, other users cannot read them."""
    url = database(text)
    found = {"PGUSER": url.user, "PGPASSWORD": url.password, "PGHOST": url.host, "PGPORT": str(url.port),
             "PGDATABASE": url.path}
    for name, value in urllib.parse.parse_qsl(url.options):
        if re.fullmatch(r"ssl[a-z]+|channel_binding|gssencmode", name):
            found["PG" + name.upper().replace("_", "")] = value
    return found
