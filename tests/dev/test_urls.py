"""URLs of given servers, passwords with odd characters in them included."""
import pytest

from dev import urls
from dev.report import DevError


def test_another_user_at_the_same_place():
    url = urls.database("postgresql://boss:p%40ss@db.example:6000/shop?sslmode=require")
    assert (url.user, url.password, url.host, url.port, url.path) == ("boss", "p@ss", "db.example", 6000, "shop")
    assert url.text("order_svc", "a/b") == "postgresql://order_svc:a%2Fb@db.example:6000/shop?sslmode=require"
    assert url.text() == "postgresql://boss:p%40ss@db.example:6000/shop?sslmode=require"


def test_an_administrators_password_is_not_lent_to_another_user():
    assert urls.database("postgresql://boss:secret@h/d").text("order_svc") == "postgresql://order_svc@h:5432/d"


def test_default_ports_and_virtual_hosts():
    assert urls.broker("amqp://u:p@h").port == 5672
    assert urls.broker("amqps://u:p@h/%2Fx").port == 5671
    assert urls.broker("amqps://u:p@h/%2Fx").path == "/x"
    assert urls.broker("amqp://u:p@h").text("edge", "q") == "amqp://edge:q@h:5672/%2F"


def test_ipv6():
    assert urls.broker("amqp://u:p@[::1]:5673/v").text() == "amqp://u:p@[::1]:5673/v"


def test_a_cluster_of_brokers():
    url = urls.broker("amqp://u:p,q@one:5673,[::1]:5674,three/v")
    assert (url.host, url.port, url.password, url.path) == ("one", 5673, "p,q", "v")
    assert url.text("edge", "s") == "amqp://edge:s@one:5673,[::1]:5674,three/v"
    assert urls.broker("amqp://u:p@one,two").text() == "amqp://u:p@one:5672,two/%2F"


@pytest.mark.parametrize("text", ("", "orders", "mysql://u:p@h/d", "postgresql://h/d", "postgresql://u:p@h:x/d",
                                  "postgresql://u:p@h:70000/d"))
def test_nonsense_is_refused_without_repeating_it(text):
    with pytest.raises(DevError, match="postgresql://USER:PASSWORD@HOST:PORT/NAME"):
        urls.database(text)


def test_libpq_gets_everything_by_environment():
    assert urls.libpq_environment("postgresql://u:p%20w@h:1/d?sslmode=verify-full&sslrootcert=/ca&x=1") == {
        "PGUSER": "u", "PGPASSWORD": "p w", "PGHOST": "h", "PGPORT": "1", "PGDATABASE": "d",
        "PGSSLMODE": "verify-full", "PGSSLROOTCERT": "/ca"}
