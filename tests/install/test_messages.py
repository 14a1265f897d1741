"""The package of the order system's messages: its headers, archives and documents, in a program of another system."""
import json
import os
import shutil

import pytest
from conftest import call
from jsonschema import Draft202012Validator

from dev import manifests, paths

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.join(paths.ROOT, "build", "messages")
SAMPLES = os.path.join(paths.ROOT, "docs", "releases", "v0.1.0", "messages")


@pytest.fixture(scope="module")
def prefix(built, tmp_path_factory):
    """By the commands of infrastructure/messages/README.md, and libbus beside it; the folder of the build stays."""
    place = tmp_path_factory.mktemp("prefix")
    call("cmake", "-S", paths.ROOT, "-B", BUILD, "-G", "Ninja", "-DORDERBUS_TESTS=OFF")
    call("cmake", "--build", BUILD, "--parallel", "2", "--target", "orderbus_messages", seconds=600)
    for folder, component in ((built, "libbus"), (BUILD, "orderbus-messages")):
        call("cmake", "--install", folder, "--prefix", str(place / "first"), "--component", component)
    return (place / "first").rename(place / "moved")


def sample(name):
    with open(os.path.join(SAMPLES, name + ".json"), encoding="utf-8") as file:
        return file.read()


def test_the_headers_of_all_services_are_there(prefix):
    shorts = {one.short for one in manifests.WITH_DATABASE}
    assert {f"{short}_messages.h" for short in shorts} == set(os.listdir(prefix / "include" / "orderbus"))
    assert {f"lib{short}_messages.a" for short in shorts} <= set(os.listdir(prefix / "lib"))


@pytest.mark.parametrize("how", ["cmake", "pkg-config"])
def test_a_program_of_another_system_reads_a_message(prefix, tmp_path, how):
    if how == "cmake":
        shutil.copytree(os.path.join(HERE, "reader"), tmp_path / "reader")
        call("cmake", "-S", str(tmp_path / "reader"), "-B", str(tmp_path), "-G", "Ninja",
             f"-DCMAKE_PREFIX_PATH={prefix}", "-DCMAKE_C_FLAGS=-Wall -Wextra -Werror")
        call("cmake", "--build", str(tmp_path))
    else:
        flags = call("pkg-config", "--cflags", "--libs", "orderbus-messages",
                     env={"PKG_CONFIG_PATH": str(prefix / "lib" / "pkgconfig")}).stdout.split()
        call("cc", "-Wall", "-Wextra", "-Werror", os.path.join(HERE, "reader", "main.c"), "-o",
             str(tmp_path / "consumer"), *flags)
    said = call(str(tmp_path / "consumer"), sample("order.confirmed.v1")).stdout
    assert said == "order.confirmed.v1 8f2b1c7e-5d3a-5b64-9c1f-2a7d4e6b8c90\n"


def test_the_schemas_take_the_messages_of_a_release(prefix):
    place = prefix / "share" / "orderbus" / "messages"
    schemas = json.loads((place / "schemas.json").read_text(encoding="utf-8"))
    for name in ("order.confirmed.v1", "inventory.reserve.v1"):
        schema = schemas | {"$ref": f"#/$defs/{name}"}
        Draft202012Validator(schema).validate(json.loads(sample(name)))
        assert list(Draft202012Validator(schema).iter_errors({}))
    assert json.loads((place / "asyncapi.json").read_text(encoding="utf-8"))["asyncapi"].startswith("3.")


def test_no_file_says_where_it_was_made(prefix):
    texts = [path for path in prefix.rglob("*messages*") if path.is_file() and path.suffix != ".a"]
    assert texts and not [str(path) for path in texts if paths.ROOT in path.read_text(encoding="utf-8")]
