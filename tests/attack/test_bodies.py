"""Bodies that parsers read differently, or that cost a reader more than their sender: refused before any effect."""
import time

import pytest

from testkit.wire import Wire, exchange, request

JSON, CLOSE = "Content-Type: application/json", "Connection: close"
GOOD = b'{"idempotency_key":"body","items":[{"product_id":"A","quantity":1}]}'


def with_member(text):
    return GOOD[:-1] + b"," + text + b"}"


def with_quantity(text):
    return GOOD.replace(b'"quantity":1', b'"quantity":' + text)


def with_key(text):
    return GOOD.replace(b'"body"', text)


MALFORMED = {
    "empty": b"", "blank": b"  \n", "null": b"null", "a list": b"[" + GOOD + b"]", "a text": b'"x"', "a number": b"1",
    "a tail": GOOD + b"{}", "two": GOOD + GOOD, "a comma": GOOD[:-1] + b",}", "a comment": b"/**/" + GOOD,
    "a line comment": GOOD + b"//", "a mark": b"\xef\xbb\xbf" + GOOD, "UTF-16": GOOD.decode().encode("utf-16"),
    "UTF-16 without a mark": GOOD.decode().encode("utf-16-le"), "UTF-32": GOOD.decode().encode("utf-32"),
    "NUL behind": GOOD + b"\0", "NUL before": b"\0" + GOOD, "single quotes": GOOD.replace(b'"', b"'"),
    "keys without quotes": GOOD.replace(b'"items"', b"items"), "a form feed": b"\x0c" + GOOD,
    "a cut body": GOOD[:-2], "an unended text": b'{"idempotency_key":"body', "NaN": with_quantity(b"NaN"),
    "Infinity": with_quantity(b"Infinity"), "a hexadecimal number": with_quantity(b"0x1"),
    "a plus": with_quantity(b"+1"), "a leading zero": with_quantity(b"01"), "a bare point": with_quantity(b"1."),
    "a leading point": with_quantity(b".1"), "an empty exponent": with_quantity(b"1e"),
    "a fraction": with_quantity(b"1.0"), "an exponent": with_quantity(b"1e0"), "minus zero": with_quantity(b"-0"),
    "a huge exponent": with_quantity(b"1e400"), "beyond 64 bits": with_quantity(b"18446744073709551617"),
    "beyond a double": with_quantity(b"9" * 400), "a tiny fraction": with_quantity(b"1." + b"0" * 400 + b"1"),
    "a text for a number": with_quantity(b'"1"'), "true for a number": with_quantity(b"true"),
    "a list for a number": with_quantity(b"[1]"), "null for a number": with_quantity(b"null"),
    "NUL in a text": with_key(b'"a\0b"'), "an escaped NUL": with_key(rb'"a\u0000b"'),
    "a line feed in a text": with_key(b'"a\nb"'), "half a pair": with_key(rb'"\ud800"'),
    "the other half": with_key(rb'"\udc00x"'), "a long NUL": with_key(b'"\xc0\x80"'), "a byte": with_key(b'"\xff"'),
    "an encoded surrogate": with_key(b'"\xed\xa0\x80"'), "beyond Unicode": with_key(b'"\xf4\x90\x80\x80"'),
    "a long slash": with_key(b'"\xc0\xaf"'), "an unknown escape": with_key(rb'"\x41"'),
    "a short escape": with_key(rb'"\u12"'), "a key twice": with_member(b'"idempotency_key":"other"'),
    "a key twice by an escape": with_member(rb'"idempotency_\u006bey":"other"'),
    "a key in another case": with_member(b'"IDEMPOTENCY_KEY":"other"'),
    "a key in an item twice": GOOD.replace(b'"quantity":1', b'"quantity":1,"quantity":2'),
    "depth 9": with_member(b'"x":' + b"[" * 9 + b"]" * 9),
    "depth 30,000": with_member(b'"x":' + b"[" * 30000 + b"]" * 30000),
    "open depth": b"[" * 60000, "open objects": b'{"a":' * 12000,
    "20,000 numbers": with_member(b'"x":[' + b"0," * 20000 + b"0]"),
    "10,000 members": with_member(b",".join(b'"m%d":0' % n for n in range(5000))),
    "101 items": b'{"idempotency_key":"body","items":[' + b",".join([b'{"product_id":"A","quantity":1}'] * 101) + b"]}",
    "no items": b'{"idempotency_key":"body","items":[]}', "a long key": with_key(b'"' + b"k" * 1000 + b'"'),
    "SQL for a product": GOOD.replace(b'"A"', b'"A\';DROP TABLE orders;--"'),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_J1_a_body_that_is_not_strictly_json(edge, issuer, name):
    headers = (JSON, CLOSE, f"Authorization: Bearer {issuer.token('someone')}")
    begin = time.monotonic()
    answer, _ = exchange(edge.port, request(headers=headers, body=MALFORMED[name]))
    assert answer is not None and answer.status == 400, answer and answer.body
    assert answer.json()["errors"]
    assert time.monotonic() - begin < 2


MEDIA = ["text/plain", "application/xml", "application/json; charset=utf-16", "application/json, text/plain",
         "application/jsonx", "application/json;boundary=x", "multipart/form-data", "application/x-www-form-urlencoded",
         "APPLICATION", "*/*"]


@pytest.mark.parametrize("media", MEDIA)
def test_E13_another_media_type(edge, issuer, media):
    """A page of another site can send these without a preflight: none is taken."""
    headers = (f"Content-Type: {media}", CLOSE, f"Authorization: Bearer {issuer.token('someone')}")
    assert exchange(edge.port, request(headers=headers, body=GOOD))[0].status == 415


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "gzip, identity", "x"])
def test_E13_a_compressed_body_is_not_unpacked(edge, issuer, coding):
    headers = (JSON, CLOSE, f"Content-Encoding: {coding}", f"Authorization: Bearer {issuer.token('someone')}")
    assert exchange(edge.port, request(headers=headers, body=GOOD))[0].status == 415


@pytest.mark.parametrize("length", [65537, 10 ** 9, 10 ** 17])
def test_E1_a_body_over_the_limit_is_not_read(edge, length):
    with Wire(edge.port) as wire:
        wire.send(request(headers=(JSON, f"Content-Length: {length}"), length=False))
        assert wire.read().status == 413
