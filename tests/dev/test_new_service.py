"""./dev new-service: the files that it makes, what it refuses, and that --remove leaves nothing behind."""
import argparse
import json
import os
import shutil
import subprocess

import pytest

from dev import manifests, new_service, paths
from dev.report import DevError


@pytest.fixture(name="root")
def an_empty_checkout(monkeypatch, tmp_path):
    shutil.copytree(os.path.join(paths.ROOT, new_service.TEMPLATE), tmp_path / new_service.TEMPLATE)
    shutil.copy(os.path.join(paths.ROOT, ".clang-format"), tmp_path)
    for words in (("init", "-q"), ("add", "-A"),
                  ("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "template")):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    monkeypatch.setattr(paths, "ROOT", str(tmp_path))
    return tmp_path


def call(name, remove=False):
    return new_service.new_service(argparse.Namespace(name=name, remove=remove))


def status(root):
    return subprocess.run(["git", "status", "--porcelain"], cwd=root, check=True, capture_output=True,
                          text=True).stdout


def test_a_service_has_its_name_everywhere_and_a_port_of_its_own(root):
    assert call("parcel") == 0
    manifest = json.loads((root / "parcel-svc" / "service.json").read_text(encoding="utf-8"))
    assert manifest["name"] == "parcel-svc" and manifest["database"] == "parcels"
    assert manifest["roles"]["runtime"] == "parcel_svc"
    assert manifest["port"] == manifest["admin_port"] and manifest["port"] not in {one.port for one in manifests.ALL}
    made = [path for folder in ("parcel-svc", "migrations") for path in (root / folder).rglob("*") if path.is_file()]
    assert len(made) > 15 and (root / "parcel-svc" / "tests" / "test_parcel.c") in made
    assert not [str(path) for path in made if "receipt" in (str(path) + path.read_text(encoding="utf-8")).lower()]


def test_remove_leaves_a_clean_tree(root):
    call("parcel")
    readme = root / "parcel-svc" / "README.md"
    readme.write_text(readme.read_text(encoding="utf-8").replace("<!-- end -->", "| `PORT` |\n<!-- end -->"),
                      encoding="utf-8")
    (root / "parcel-svc" / ".env.example").write_text("PORT=8095\n", encoding="utf-8")
    programs = root / "build" / "asan" / "bin"
    programs.mkdir(parents=True)
    for name in ("parcel-svc", "edge"):
        (programs / name).write_text("", encoding="utf-8")
    assert status(root)
    assert call("parcel", remove=True) == 0
    assert [one.name for one in programs.iterdir()] == ["edge"]
    shutil.rmtree(root / "build")
    assert status(root) == ""


def test_remove_keeps_a_changed_service(root):
    call("parcel")
    source = root / "parcel-svc" / "src" / "parcel.c"
    source.write_text(source.read_text(encoding="utf-8") + "/* mine */\n", encoding="utf-8")
    (root / "parcel-svc" / "src" / "more.c").write_text("int more;\n", encoding="utf-8")
    with pytest.raises(DevError, match=r"parcel-svc/src/more.c, parcel-svc/src/parcel.c differ"):
        call("parcel", remove=True)
    assert source.exists()


def test_what_is_there_is_not_overwritten(root):
    call("parcel")
    with pytest.raises(DevError, match="there is already parcel-svc and migrations/parcels"):
        call("parcel")
    with pytest.raises(DevError, match="there is no pallet-svc"):
        call("pallet", remove=True)


@pytest.mark.parametrize("name", ["", "a", "Parcel", "-svc", "9lives", "par cel", "../x", "int", "p" * 21])
def test_a_name_that_is_none_is_refused(name):
    with pytest.raises(DevError, match="names no service"):
        call(name)


def test_a_name_may_end_like_its_service(root):
    assert call("parcel-svc") == 0 and (root / "parcel-svc" / "src" / "parcel.c").exists()
    assert call("parcel-svc", remove=True) == 0 and status(root) == ""


def test_sources_are_formatted_whatever_the_length_of_the_name(root):
    long = "internationalparcels"
    call("aa")
    call(long)
    sources = [str(path) for path in root.glob("*-svc/**/*.[ch]")]
    subprocess.run(["clang-format", "--dry-run", "-Werror", *sources], cwd=root, check=True)
    assert any(f"{long}_messages.c" in path for path in sources)
    call("aa", remove=True)
    call(long, remove=True)
    assert status(root) == ""


def test_a_service_that_files_list_is_taken_out_of_them(root, monkeypatch):
    ran = []
    monkeypatch.setattr(new_service.parts, "TABLE", {"list.yml": {}})
    monkeypatch.setattr(new_service, "_generate", lambda: ran.append((root / "parcel-svc").exists()))
    call("parcel")
    (root / "list.yml").write_text("- pallet-svc\n", encoding="utf-8")
    call("parcel", remove=True)
    assert ran == []
    call("parcel")
    (root / "list.yml").write_text("- parcel-svc\n", encoding="utf-8")
    call("parcel", remove=True)
    assert ran == [False]


def test_a_service_is_no_copy_of_another_until_it_is_changed(root, monkeypatch):
    made = []
    for name in ("parcel", "pallet"):
        call(name)
        made.append(manifests.Manifest(f"{name}-svc", f"{name}-svc", name, 8099))
    monkeypatch.setattr(manifests, "ALL", tuple(made))
    with open(root / "pallet-svc" / "src" / "pallet.c", "a", encoding="utf-8") as file:
        file.write("/* mine */\n")
    known = new_service.untouched()
    assert "parcel-svc/src/parcel.c" in known and "pallet-svc/src/pallet.c" not in known


def test_two_services_get_two_ports():
    assert new_service.free_port({8095, 8096}) == 8097
