"""./dev as a command: from any folder, with help and version on every verb, and clear refusals."""
import os
import re
import signal
import subprocess

import pytest

from dev import cli, orderctl, paths, session

VERBS = ("up", "migrate", "seed", "test", "down", "reset", "status", "logs", "psql", "token", "client", "restart",
         "kill", "build", "generate", "servers", "fuzz", "bench", "chaos", "k6", "load", "invariants", "sim")


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_and_version(dev, verb):
    answer = dev(verb, "--help")
    assert answer.returncode == 0 and answer.stdout.startswith(f"usage: ./dev {verb}")
    answer = dev(verb, "--version")
    assert (answer.returncode, answer.stdout) == (0, f"orderbus {paths.version()}\n")


def test_help_names_every_verb(dev):
    named = re.findall(r"^    (\S+)", dev("--help").stdout, re.M)
    assert set(VERBS) <= set(named)


@pytest.mark.parametrize("words", (["--all", "dead", "retry", "payment-svc"], ["stuck"], ["--", "stuck"], []))
def test_all_words_behind_orderctl_are_its_own(monkeypatch, words):
    seen = []
    monkeypatch.setattr(session, "required", lambda: None)
    monkeypatch.setattr(orderctl, "run", lambda _, *given: seen.extend(given) or subprocess.CompletedProcess([], 0))
    assert cli.main(["orderctl", *words]) == 0
    assert seen == words


def test_works_from_any_folder_and_through_a_link(dev, folder):
    link = os.path.join(folder, "some dev")
    os.symlink(os.path.join(paths.ROOT, "dev"), link)
    assert dev("--version", script=link, cwd=folder).stdout == f"orderbus {paths.version()}\n"


def test_ignores_what_the_caller_put_on_pythons_path(dev, folder):
    for name in ("state.py", "json.py"):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write("raise SystemExit('wrong module')\n")
    assert dev("--version", cwd=folder, env={"PYTHONPATH": folder}).returncode == 0


@pytest.mark.parametrize("words", (["status"], ["seed"], ["logs"], ["psql", "orders"], ["restart", "edge"],
                                   ["kill", "edge"]))
def test_without_a_stack_says_how_to_get_one(dev, folder, words):
    place = os.path.join(folder, "none")
    answer = dev(*words, env={"ORDERBUS_STATE": place})
    assert answer.returncode == 1 and "./dev up" in answer.stderr
    assert not os.path.exists(place), "a question must not leave a state behind"


def test_ends_in_silence_when_nobody_reads_any_more(unread):
    assert unread("--help") == (141, "")


def test_another_pipe_that_broke_is_a_plain_message(monkeypatch, capfd):
    def fail(_options):
        raise BrokenPipeError(32, "Broken pipe")
    monkeypatch.setattr(cli.verbs, "down", fail)
    assert cli.main(["down"]) == 1
    assert capfd.readouterr().err == "dev: [Errno 32] Broken pipe\n"


def test_down_and_reset_of_nothing_are_fine(dev, folder):
    env = {"ORDERBUS_STATE": os.path.join(folder, "none")}
    assert dev("down", env=env).returncode == 0
    assert dev("reset", env=env).returncode == 0


def test_an_unknown_suite_is_refused(dev):
    answer = dev("test", "unti")
    assert answer.returncode == 2 and "unti" in answer.stderr and "unit" in answer.stderr


def test_an_unknown_preset_is_refused(dev, folder):
    answer = dev("build", env={"ORDERBUS_PRESET": "fast", "ORDERBUS_STATE": os.path.join(folder, "s")})
    assert answer.returncode == 1 and "ORDERBUS_PRESET=fast" in answer.stderr


def test_some_databases_given_is_an_error(dev, folder):
    answer = dev("up", env={"ORDERBUS_STATE": os.path.join(folder, "s"),
                            "DATABASE_URL_ORDERS": "postgresql://a:b@127.0.0.1/orders"})
    assert answer.returncode == 1 and "DATABASE_URL_PAYMENTS" in answer.stderr


def test_up_names_a_malformed_port_variable(dev, folder):
    answer = dev("up", env={"ORDERBUS_STATE": os.path.join(folder, "s"), "ORDERBUS_PG_PORT": "many"})
    assert answer.returncode == 1 and "ORDERBUS_PG_PORT=many" in answer.stderr


def test_a_hanging_tool_or_a_forbidden_file_is_a_plain_message(monkeypatch, capsys):
    for error in (PermissionError(13, "Permission denied", "/x/lock"), subprocess.TimeoutExpired(["psql"], 60)):
        def fail(_options, error=error):
            raise error
        monkeypatch.setattr(cli.verbs, "down", fail)
        assert cli.main(["down"]) == 1
        assert capsys.readouterr().err.startswith("dev: ")


def test_may_be_interrupted_in_the_background():
    """A shell without job control has its background jobs ignore the signal."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with pytest.raises(SystemExit):
            cli.main(["--version"])
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
