"""The private servers, real ones: what they listen on, how they are set, and that nothing of them stays."""
import os
import re
import signal
import socket
import subprocess
import threading

import pytest

from dev import account, broker, proc
from dev.postgres import psql
from dev.report import DevError
from dev.servers import TestServers


LOOPBACK = {"0100007F": "127.0.0.1", "00000000000000000000000001000000": "::1"}  # as the kernel prints them


def listeners(pids):
    """{(address, port)} of every listening TCP socket of these processes, as the kernel knows them."""
    sockets = set()
    for pid in pids:
        for name in os.listdir(f"/proc/{pid}/fd"):
            sockets.add(os.readlink(f"/proc/{pid}/fd/{name}"))
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(table, encoding="ascii") as file:
            for fields in map(str.split, file.readlines()[1:]):
                if fields[3] == "0A" and f"socket:[{fields[9]}]" in sockets:
                    address, port = fields[1].split(":")
                    found.add((LOOPBACK.get(address, address), int(port, 16)))
    return found


def parts(pair):
    servers = pair._pair()
    return servers.postgres, servers.rabbitmq


def test_up_prints_where_they_are_and_env_repeats_it(pair, dev):
    again = dev("servers", "up", "--state", pair.state.path)
    assert again.returncode == 0 and again.stdout == dev("servers", "env", "--state", pair.state.path).stdout
    exported = dict(re.findall(r"^export (\w+)='(.*)'$", again.stdout, re.M))
    assert exported == pair.environment()
    assert psql(exported["TEST_DATABASE_URL"], "SELECT current_database();") == "test\n"


def test_up_on_running_servers_leaves_them_alone(pair):
    postgres, rabbitmq = parts(pair)
    before = [process.pid() for process in (postgres.process, rabbitmq.process, rabbitmq.epmd)]
    pair.up()
    assert [process.pid() for process in (postgres.process, rabbitmq.process, rabbitmq.epmd)] == before


def test_every_listener_is_on_loopback_and_known(pair):
    postgres, rabbitmq = parts(pair)
    found = listeners([postgres.process.pid(), rabbitmq.process.pid(), rabbitmq.epmd.pid()])
    assert {address for address, _ in found} <= set(LOOPBACK.values())
    assert {port for _, port in found} == set(pair.state.known_ports().values())


@pytest.mark.parametrize("name, value", (
    ("fsync", "on"), ("full_page_writes", "on"), ("synchronous_commit", "on"), ("data_checksums", "on"),
    ("unix_socket_directories", ""), ("password_encryption", "scram-sha-256"), ("server_encoding", "UTF8"),
    ("TimeZone", "UTC"), ("shared_preload_libraries", "pg_stat_statements")))
def test_postgres_is_set_as_in_production(pair, name, value):
    assert psql(pair.environment()["TEST_DATABASE_URL"], f"SHOW {name};").strip() == value


def test_postgres_wants_a_password(pair):
    wrong = re.sub(r":[0-9a-f]{32}@", ":wrong@", pair.environment()["TEST_DATABASE_URL"])
    with pytest.raises(DevError, match="password authentication failed"):
        psql(wrong, "SELECT 1;")


def test_rabbitmq_knows_no_guest(pair):
    _, rabbitmq = parts(pair)
    users = rabbitmq.management().must("GET", "users")
    assert [user["name"] for user in users] == ["admin"]
    assert [host["name"] for host in rabbitmq.management().must("GET", "vhosts")] == ["test"]


def test_rabbitmqctl_reaches_the_node(pair):
    _, rabbitmq = parts(pair)
    assert rabbitmq.node in rabbitmq.ctl("status")
    done = subprocess.run([pair.environment()["TEST_RABBITMQCTL"], "-q", "list_users"], capture_output=True, text=True,
                          timeout=60, check=True, cwd="/")
    assert "admin\t[administrator]" in done.stdout


def test_the_log_of_the_quorum_queues_leaves_most_of_the_brokers_memory_free(pair):
    """The broker's log is in memory, too, sometimes twice; at the watermark every publisher is blocked."""
    _, rabbitmq = parts(pair)
    bytes_of = [int(re.search(r"\d{3,}", rabbitmq.ctl("eval", f"{what}."))[0])
                for what in ("application:get_env(ra, wal_max_size_bytes)", "vm_memory_monitor:get_memory_limit()")]
    assert 8 * bytes_of[0] <= bytes_of[1]


def test_a_stop_in_order_takes_the_handler_away_that_the_broker_waits_for(pair, monkeypatch):
    _, rabbitmq = parts(pair)
    monkeypatch.setattr(proc.Process, "stop", lambda *_: None)
    handlers = "gen_event:which_handlers(rabbit_event)."
    assert "rabbit_mgmt_db_handler" in rabbitmq.ctl("eval", handlers)
    try:
        rabbitmq.stop()
        assert "rabbit_mgmt_db_handler" not in rabbitmq.ctl("eval", handlers)
    finally:
        rabbitmq.ctl("eval", "gen_event:add_handler(rabbit_event, rabbit_mgmt_db_handler, []).")


def test_no_password_stands_in_the_arguments_of_a_process(pair):
    known = pair.state.read("secrets.json").values()
    for process in (*(part.process for part in parts(pair)), parts(pair)[1].epmd):
        with open(f"/proc/{process.pid()}/cmdline", encoding="utf-8") as file:
            words = file.read()
        assert not [secret for secret in known if secret in words]


@pytest.mark.skipif(not account.is_root(), reason="only root gives the servers to other users")
def test_root_hands_the_servers_to_their_own_users(pair):
    for part, user in zip(parts(pair), ("postgres", "rabbitmq")):
        owner = subprocess.run(["ps", "-o", "user=", "-p", str(part.process.pid())], capture_output=True, text=True,
                               check=True)
        assert owner.stdout.strip() == user


@pytest.mark.skipif(not account.is_root(), reason="only root gives the servers to other users")
def test_a_place_that_postgres_cannot_enter_is_an_error_that_says_so(tmp_path):
    os.chmod(tmp_path, 0o700)
    with pytest.raises(DevError, match="cannot enter.*ORDERBUS_STATE"):
        TestServers(str(tmp_path / "state")).up()


@pytest.fixture
def strangers():
    """Listeners on the ports of the system's own servers, as far as those are free; nobody may call them."""
    found = []
    for port in (5432, 5672, 4369):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("0.0.0.0", port))
        except OSError:
            listener.close()
            continue
        listener.listen()
        listener.setblocking(False)
        found.append(listener)
    yield
    for listener in found:
        with listener, pytest.raises(BlockingIOError):
            listener.accept()


def test_a_life_with_crashes_ends_without_a_trace(folder, strangers):
    """Killed servers come back with their data; a taken port is named; down leaves no process and no listener."""
    pair = TestServers(os.path.join(folder, "state"))
    url = pair.up()["TEST_DATABASE_URL"]
    psql(url, "CREATE TABLE kept AS SELECT 42 AS answer;")
    postgres, rabbitmq = parts(pair)
    for process in (postgres.process, rabbitmq.process, rabbitmq.epmd):
        process.signal(signal.SIGKILL)
        assert process.wait_end(10) and process.died()

    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", postgres.port))
        taken.listen()
        with pytest.raises(DevError, match=f"{postgres.port}.*ORDERBUS_PG_PORT"):
            pair.up()

    assert pair.up()["TEST_DATABASE_URL"] == url
    assert psql(url, "SELECT answer FROM kept;") == "42\n"
    pair.down()
    assert proc.leftovers(pair.state.path) == []
    assert not [port for port in pair.state.known_ports().values() if socket_answers(port)]
    pair.down(wipe=True)
    assert not os.path.exists(pair.state.path)


def socket_answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_data_of_another_postgres_is_a_clear_error(state):
    data = os.path.join(state.path, "postgres", "data")
    os.makedirs(data)
    with open(os.path.join(data, "PG_VERSION"), "w", encoding="utf-8") as file:
        file.write("13\n")
    with pytest.raises(DevError, match="data of Postgres 13, but Postgres 15 is installed.*reset"):
        TestServers(state.path).up()


def backends(postgres):
    return [pid for pid in proc.leftovers(postgres.data) if pid != postgres.process.pid()]


@pytest.mark.parametrize("resumes", (True, False))
def test_postgres_starts_again_right_after_it_was_killed(pair, resumes):
    """A backend that is slow to notice, or stuck, still holds the shared memory when the next start comes."""
    postgres, _ = parts(pair)
    slow = backends(postgres)[0]
    os.kill(slow, signal.SIGSTOP)
    postgres.process.signal(signal.SIGKILL)
    assert postgres.process.wait_end(10)
    resume = threading.Timer(0.5, os.kill, (slow, signal.SIGCONT))
    if resumes:
        resume.start()
    assert postgres.start()
    assert psql(postgres.url(), "SELECT 1;") == "1\n" and slow not in proc.leftovers(postgres.data)
    resume.cancel()


@pytest.mark.parametrize("said, calls", (("log in: request timed out", 6), ("log in: refused", 1)))
def test_a_broker_that_answers_late_is_asked_again(monkeypatch, said, calls):
    made = []
    monkeypatch.setattr(broker, "_call", lambda *words: (made.append(words), (said, 1))[1])
    with pytest.raises(DevError, match=said):
        broker._run(["bus-topology", "apply"], tries=broker.LOGINS)
    assert len(made) == calls
