"""The private CA and its certificates: what is made when, for whom, and who can read the keys."""
import os
import ssl
import subprocess

import pytest

from dev.certificates import Certificates, expiry, now, parts
from dev.state import State


@pytest.fixture(name="certificates")
def fixture_certificates(tmp_path):
    return Certificates(State(str(tmp_path / "state")).create())


def purpose(certificates, name):
    done = subprocess.run(["openssl", "verify", "-CAfile", certificates.ca, "-purpose", "sslserver",
                           certificates.cert(name)], capture_output=True, text=True, check=False)
    return done.returncode == 0


def read(path):
    with open(path, encoding="ascii") as file:
        return file.read()


def test_each_part_has_a_certificate_of_its_own(certificates):
    assert set(certificates.make()) == {"ca", *parts()}
    assert len({read(certificates.cert(name)) for name in parts()}) == len(parts())
    for name, kind in parts().items():
        certificates.context(name)  # the key fits
        assert purpose(certificates, name) == (kind != "client"), name
        assert os.stat(certificates.key(name)).st_mode & 0o777 == 0o600
    assert os.stat(certificates.key("ca")).st_mode & 0o777 == 0o600


def test_what_lasts_is_not_made_again(certificates):
    certificates.make()
    before = {name: read(certificates.cert(name)) for name in parts()}
    assert certificates.make() == []
    assert {name: read(certificates.cert(name)) for name in parts()} == before


def test_what_expires_soon_or_is_lost_is_made_again(certificates):
    certificates.make(days=29)
    assert (expiry(certificates.cert("edge")) - now()).days == 28
    assert set(certificates.make()) == set(parts())
    assert (expiry(certificates.cert("edge")) - now()).days == 89
    os.unlink(certificates.key("edge"))
    assert certificates.make() == ["edge"]


def test_a_new_ca_does_not_know_the_old_certificates(certificates, tmp_path):
    certificates.make()
    old = str(tmp_path / "old.pem")
    with open(old, "w", encoding="ascii") as file:
        file.write(read(certificates.cert("edge")))
    os.unlink(certificates.ca)
    assert set(certificates.make()) == {"ca", *parts()}
    words = ["openssl", "verify", "-CAfile", certificates.ca]
    assert subprocess.run([*words, certificates.cert("edge")], capture_output=True, check=False).returncode == 0
    assert subprocess.run([*words, old], capture_output=True, check=False).returncode != 0


def test_a_client_of_python_trusts_the_ca_alone(certificates):
    certificates.make()
    context = certificates.context()
    assert [one["subject"] for one in context.get_ca_certs()] and context.verify_mode == ssl.CERT_REQUIRED
    assert len(context.get_ca_certs()) == 1
