"""The suites that read the sources: formatting, linters, and clang-tidy with a memory of what it has found clean."""
import concurrent.futures
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess

from dev import build, copies, new_service, paths, wording
from dev.runner import Result, run, skip, tracked


def format_suite(seconds):
    files = tracked(".c", ".h", ".js")
    if not files:
        return skip("no C files and no scripts")
    result = _by_file(files, *run(["clang-format", "--dry-run", "-Werror", *files], seconds))
    wrong = sorted(set(re.findall(r"^([^:\s]+):\d+", result.text, re.M)) & set(files))
    if wrong:
        result.text = "to be formatted with clang-format -i:\n" + "".join(f"  {name}\n" for name in wrong)
    return result


def lint_suite(seconds):
    total = Result()
    python = {*tracked(".py"), *_scripts(rb"#! ?/usr/bin/python3\b")}
    for files, words in ((_shell_files(), ["shellcheck"]), (sorted(python), ["flake8"]),
                         (tracked(".yml", ".yaml"), ["yamllint", "--strict", "--format", "parsable"])):
        if files:
            total += _by_file(files, *run([*words, *files], seconds))
    return total + _wording() + _copies()


def _wording():
    """Each file with a problem failed."""
    files = tracked(".c", ".h", ".py", ".md")
    wrong = [found for found in (wording.problems(name, _text_of(name).decode()) for name in files) if found]
    return Result(len(files) - len(wrong), len(wrong), 0, "".join(f"{line}\n" for found in wrong for line in found))


def _copies():
    """The product's code alone: tests and their simulation may repeat themselves, and templates and examples are wholes
    that a reader copies, as are services that are still what ./dev new-service has made."""
    if not shutil.which("sim_c"):
        return skip("Debian 13 has no similarity-tester: no search for copies")
    files = [name for name in tracked(".c", ".h")
             if not re.search(r"(^|/)(tests|testing|templates|examples)/|-testing/", name)]
    made = new_service.untouched()
    files = [name for name in files if name not in made]
    found = copies.problems({name: _text_of(name).decode() for name in files})
    return Result(len(files) - len(found), len(found), 0, "".join(f"{line}\n" for line in found))


def _scripts(first_line):
    found = []
    for name in tracked(""):
        with open(os.path.join(paths.ROOT, name), "rb") as file:
            if re.match(first_line, file.readline(80)):
                found.append(name)
    return found


def _shell_files():
    """By its first line or its name."""
    return sorted({*tracked(".sh"), *_scripts(rb"#! ?/(usr/)?bin/(env )?(ba|da)?sh\b")})


def _by_file(files, status, output):
    """A file that the tool names at the start of a message failed."""
    named = set(re.findall(r"^(?:In )?\.?/?([^:\s]+)(?::| line )\d+", output, re.M)) & set(files)
    failed = max(len(named), 1) if status else 0
    return Result(len(files) - failed, failed, 0, output if failed else "")


def tidy_suite(seconds):
    """All checks but the analyzer's, which follows every path and takes most of the time."""
    return _tidy_all("-clang-analyzer-*", lambda name: True, seconds)


def analyzer_suite(seconds):
    """The analyzer alone, of what is no test: tests run theirs under ASan and UBSan."""
    return _tidy_all("-bugprone-*,-cert-*,-misc-*,-performance-*", lambda name: "/tests/" not in name, seconds)


def _tidy_all(checks, is_wanted, seconds):
    """checks: what is taken from those of .clang-tidy."""
    build.build("clang")  # files that the build generates are looked at, and included
    with open(os.path.join(build.folder("clang"), "compile_commands.json"), encoding="utf-8") as file:
        entries = [entry for entry in json.load(file)
                   if entry["file"].startswith(paths.ROOT + "/") and is_wanted(entry["file"])]
    stamp = checks.encode() + _text_of(".clang-tidy") + subprocess.run(["clang-tidy", "--version"], capture_output=True,
                                                                       check=True).stdout
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda of_file: _tidy(of_file, checks, stamp, seconds), _by_source(entries)))
    return sum(results, Result())


def _by_source(entries):
    """clang-tidy looks at a file once for every command that compiles it. → lists of entries, one a file"""
    found = {}
    for entry in entries:
        found.setdefault(entry["file"], []).append(entry)
    return list(found.values())


def _tidy(entries, checks, stamp, seconds):
    """One file. A file that was found clean is not checked again until it, a header of it, or the checks change."""
    mark = os.path.join(build.folder("tidy"), _digest(entries, stamp))
    if os.path.exists(mark):
        return Result(passed=1)
    name = entries[0]["file"]
    status, output = run(["clang-tidy", "--quiet", "--checks=" + checks, "-p", build.folder("clang"), name], seconds)
    if status != 0 or ": warning:" in output:
        return Result(failed=1, text=output)
    os.makedirs(os.path.dirname(mark), exist_ok=True)
    with open(mark, "w", encoding="utf-8"):
        pass
    return Result(passed=1)


def _digest(entries, stamp):
    digest = hashlib.sha256(stamp + entries[0]["file"].encode())
    for entry in entries:
        words = shlex.split(entry["command"])
        words = words[next(i for i, word in enumerate(words) if os.path.basename(word).startswith("clang")):]
        del words[words.index("-o"):words.index("-o") + 2]
        # Comments stay in, since NOLINT is one, and so do macros.
        words = [word for word in words if word != "-c"] + ["-E", "-CC", "-dD"]
        done = subprocess.run(words, cwd=entry["directory"], capture_output=True, check=False)
        digest.update(done.stdout + done.stderr)
    return digest.hexdigest()


def _text_of(name):
    with open(os.path.join(paths.ROOT, name), "rb") as file:
        return file.read()
