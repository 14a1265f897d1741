"""The readers that test_purity.py relies on see what they should, and nothing else."""
import re

import pytest

import sources
from symbols import KINDS, LIBC, why_not_pure


def test_comments_and_texts_are_no_code():
    text = 'a("strcpy(x)"); /* strcpy(\ny) */ b(\'"\'); // strcpy(z)\nc("//", "\\"");\n'
    assert sources.without_comments_and_texts(text) == 'a(""); \n b(\' \');  \nc("", "");\n'


def test_neighbouring_texts_are_one():
    assert sources.texts('x = "SEL" /* . */ "ECT 1"; f("a", "b\\"c"); g("d" M "e");') == [
        "SELECT 1", "a", 'b\\"c', "d", "e"]


@pytest.mark.parametrize("text, sql", [
    ("SELECT now()", True), (" UPDATE orders SET x = 1", True), ("select x from y", True),
    ("insert into x values", True), ("WITH a AS (SELECT 1) DELETE FROM b", True),
    ("DELETE", False), ("update inventory", False),
    ("SELECTED", False), ("with prices", False), ("COMMIT", False),
])
def test_sql_is_told_from_words(text, sql):
    assert sources.is_sql(text) == sql


def test_includes_are_found_where_they_count():
    assert sources.includes('#include <a.h>\n  # include "b/c.h"\n// #include <d.h>\n/*\n#include <e.h>\n*/\n') == [
        "a.h", "b/c.h"]


@pytest.mark.parametrize("symbol, kind", [
    ("socket", "a socket"), ("fopen64", "a file"), ("__printf_chk", "a file"), ("clock_gettime", "a clock"),
    ("pthread_mutex_lock", "a thread"), ("getrandom", "entropy"), ("amqp_new_connection", "rabbitmq-c"),
    ("PQexec", "libpq"), ("curl_easy_init", "libcurl"), ("mg_start", "civetweb"),
    ("bus_log_write", "the rest of libbus"), ("cJSON_Parse", "not on the list"), ("strtok", "not on the list"),
])
def test_what_is_not_pure_is_named(symbol, kind):
    assert why_not_pure(symbol) == kind


@pytest.mark.parametrize("symbol", [
    "memcpy", "__memcpy_chk", "__isoc23_strtoll", "__asan_report_load8", "__assert_fail", "__stack_chk_fail",
])
def test_what_is_pure_passes(symbol):
    assert why_not_pure(symbol) is None


def test_the_core_alone_reads_json_and_hashes():
    assert why_not_pure("cJSON_Parse", in_core=True) is None
    assert why_not_pure("nettle_sha256_init", in_core=True) is None
    assert why_not_pure("nettle_memeql_sec", in_core=True) is None
    assert why_not_pure("nettle_yarrow256_init", in_core=True) == "not on the list"


def test_nothing_allowed_is_of_a_forbidden_kind():
    assert not [(name, kind) for name in LIBC for kind, pattern in KINDS.items() if re.fullmatch(pattern, name)]
