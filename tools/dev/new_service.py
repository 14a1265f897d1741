"""./dev new-service NAME: a service that builds, has tests, runs in the stack and is found by everything; --remove."""
import glob
import json
import os
import re
import shutil
import subprocess
import sys

from dev import account, manifests, parts, paths
from dev.report import DevError, step

TEMPLATE = "templates/service"
TEMPLATE_PORT = 8095
WORD = "receipt"  # of the template
NAME = re.compile(r"[a-z][a-z0-9]{1,19}")
WORDS_OF_C = frozenset("""auto bool break case char const default do double else enum extern float for goto if inline
    int long main register return short signed sizeof static struct switch typedef union unsigned void volatile
    while""".split())


def add_options(added):
    added.add_argument("name", metavar="NAME", help="a noun, such as parcel, or parcel-svc: the service is parcel-svc")
    added.add_argument("--with-database", action="store_true", help="with a database of its own, as all are")
    added.add_argument("--remove", action="store_true", help="delete it again, unless a file of it was changed")
    return added


def new_service(options):
    name = options.name.removesuffix("-svc")
    _check_name(name)
    return _remove(name) if options.remove else _make(name)


def _check_name(name):
    if not NAME.fullmatch(name) or name in WORDS_OF_C:
        raise DevError(f'"{name}" names no service: 2 to 20 of a-z 0-9, a letter first, no word of C, such as parcel',
                       status=2)


def _files():
    """{path in the template: its text}"""
    root = os.path.join(paths.ROOT, TEMPLATE)
    found = {}
    for place, _, names in os.walk(root):
        for name in names:
            path = os.path.join(place, name)
            with open(path, encoding="utf-8") as file:
                found[os.path.relpath(path, root)] = file.read()
    return found


def _renamed(text, name):
    for word in (WORD, WORD.upper(), WORD.capitalize()):
        new = name.upper() if word.isupper() else name.capitalize() if word[0].isupper() else name
        text = text.replace(word, new)
    return text


def files(name, port):
    """{path: text} of the service's files."""
    return {_renamed(path, name): _renamed(text, name).replace(str(TEMPLATE_PORT), str(port))
            for path, text in _files().items()}


def free_port(taken):
    return next(port for port in range(TEMPLATE_PORT, TEMPLATE_PORT + 1000) if port not in taken)


def _make(name):
    taken = {port for one in manifests.ALL for port in (one.port, one.admin_port)}
    made = files(name, free_port(taken))
    there = [path for path in _roots(name) if os.path.exists(os.path.join(paths.ROOT, path))]
    if there:
        raise DevError(f"there is already {' and '.join(there)}", status=2)
    for path, text in made.items():
        target = os.path.join(paths.ROOT, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "w", encoding="utf-8") as file:
            file.write(text)
    _format(sorted(made))
    step("service", f"{name}-svc: {len(made)} files in {' and '.join(_roots(name))}")
    print(f"./dev build --preset asan test_{name} && ctest --test-dir build/asan -R test_{name}   its tests\n"
          f"./dev generate            its example environment and tables, and its lines in files of deployments\n"
          f"./dev up                  starts it with the stack\n"
          f"./dev new-service {name} --remove")
    return 0


def _format(made):
    """A name of another length may need other breaks of lines."""
    if shutil.which("clang-format"):
        subprocess.run(["clang-format", "-i", *(path for path in made if path.endswith((".c", ".h")))], cwd=paths.ROOT,
                       check=True)


def _roots(name):
    return f"{name}-svc", f"migrations/{name}s"


def _remove(name):
    """Only what new-service and ./dev generate have written: a change would be lost."""
    folder = os.path.join(paths.ROOT, f"{name}-svc")
    if not os.path.isdir(folder):
        raise DevError(f"there is no {name}-svc", status=2)
    with open(os.path.join(folder, "service.json"), encoding="utf-8") as file:
        expected = files(name, json.load(file)["port"])
    changed = sorted(_changed(name, expected))
    if changed:
        raise DevError(f"{', '.join(changed)} differ from what new-service has written: delete {name}-svc and "
                       f"migrations/{name}s by hand", status=2)
    for path in _roots(name):
        shutil.rmtree(os.path.join(paths.ROOT, path))
    for program in glob.glob(os.path.join(paths.ROOT, "build", "*", "bin", f"{name}-svc")):
        os.unlink(program)  # tests look at all programs of a build
    step("service", f"{name}-svc is removed")
    if _is_listed(name):
        _generate()
    return 0


def _generate():
    """In a process of its own, which does not know the service any more."""
    subprocess.run([sys.executable, "-B", "-I", os.path.join(paths.ROOT, "tools"), "generate"], check=True)


def _is_listed(name):
    """Has ./dev generate written its lines?"""
    return any(f"{name}-svc" in (account.read_file(os.path.join(paths.ROOT, file)) or "") for file in parts.TABLE)


def untouched():
    """The sources of services that still are as they were made."""
    return {path for one in manifests.ALL if one.folder.endswith("-svc")
            for path, text in files(one.name.removesuffix("-svc"), one.port).items()
            if path.endswith((".c", ".h")) and
            _compared(account.read_file(os.path.join(paths.ROOT, path)) or "") == _compared(text)}


def _changed(name, expected):
    for root in _roots(name):
        for place, _, names in os.walk(os.path.join(paths.ROOT, root)):
            for file_name in names:
                path = os.path.relpath(os.path.join(place, file_name), paths.ROOT)
                if file_name == ".env.example":
                    continue
                with open(os.path.join(paths.ROOT, path), encoding="utf-8") as file:
                    text = file.read()
                if path not in expected or _compared(text) != _compared(expected[path]):
                    yield path


def _compared(text):
    """The text without what ./dev generate fills in. Blanks, and stars before lines of comments, are clang-format's."""
    text = re.sub(r"(<!-- print [^\n]* -->\n).*?(<!-- end -->)", r"\1\2", text, flags=re.S)
    return re.sub(r"\n \* |\s", "", text)
