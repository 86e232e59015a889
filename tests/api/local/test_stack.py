"""The local stack on real processes: one at a time, nothing doubled, nothing left behind."""

import os
import signal
import socket
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import psutil
import pytest
from pydantic import SecretStr

from api.local.parts import API
from api.local.stack import down, join, running, up
from api.local.stack_state import Record, StackState
from api.local.status import status
from api.settings import Settings
from graphdb.connection import Graph, Neo4jSettings
from graphdb.errors import ServerError
from graphdb.local.processes import Child, is_alive, wait_until
from tests.api.tiny_parts import TINY
from tests.processes import assert_nothing_left

LOCAL = Neo4jSettings(uri="")
ALL = ("neo4j", "redis", "consumer", "api", "worker", "beat")


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, neo4j_version: str) -> Iterator[Settings]:
    """A stack of this module's own, with a Neo4j of its own; tests bring it up and break it."""
    settings = Settings(home=tmp_path_factory.mktemp("stack"), neo4j_version=neo4j_version)
    yield settings
    down(settings)


def pids(settings: Settings) -> dict[str, int | None]:
    return {row["part"]: row["pid"] for row in status(settings, LOCAL)}


def state_of(settings: Settings, name: str) -> str:
    return next(row["state"] for row in status(settings, LOCAL) if row["part"] == name)


def kill(settings: Settings, name: str) -> None:
    child = StackState.read(settings.root).parts[name].child
    os.kill(child.pid, signal.SIGKILL)
    assert wait_until(lambda: not is_alive(child), 10)


def test_two_ups_at_once_start_one_stack(settings: Settings, start_up):
    version = {"PATHLIGHT_NEO4J_VERSION": settings.neo4j_version}

    runs = [start_up(settings.root, **version) for _ in range(2)]
    said = [run.communicate(timeout=240) for run in runs]

    last = sorted(out.strip().splitlines()[-1] for out, _ in said)
    assert last == ["started", "started " + " ".join(ALL)], said
    assert [row["state"] for row in status(settings, LOCAL)] == ["running"] * len(ALL)


def test_a_second_up_joins_and_every_part_was_told_the_same_addresses(settings: Settings):
    before = up(settings, LOCAL, parts=TINY)
    told = httpx.get(f"{before.api_url}/told", trust_env=False).json()

    stack = up(settings, LOCAL, parts=TINY)

    assert stack.started == ()
    assert (stack.neo4j, stack.redis_url, stack.api_url) == (
        before.neo4j,
        before.redis_url,
        before.api_url,
    )
    assert told["PATHLIGHT_NEO4J_URI"] == stack.neo4j.uri
    assert told["PATHLIGHT_NEO4J_PASSWORD"] == stack.neo4j.password.get_secret_value()
    assert told["PATHLIGHT_REDIS_URL"] == stack.redis_url
    assert told["PATHLIGHT_HOME"] == str(settings.root)
    assert stack.api_url.endswith(":" + told["PATHLIGHT_API_PORT"])
    joined = join(settings, LOCAL)
    assert joined and (joined.neo4j, joined.redis_url, joined.api_url) == (
        stack.neo4j,
        stack.redis_url,
        stack.api_url,
    )
    with Graph.from_settings(stack.neo4j) as graph:
        assert graph.read("RETURN 1 AS one") == [{"one": 1}]


def test_status_tells_where_and_since_when_without_secrets(settings: Settings):
    stack = up(settings, LOCAL, parts=TINY)

    rows = status(settings, LOCAL)

    assert [row["part"] for row in rows] == list(ALL)
    assert all(row["pid"] and row["memory_mb"] > 1 and row["since"] for row in rows)
    assert rows[ALL.index("api")]["address"] == stack.api_url
    secrets = {stack.neo4j.password.get_secret_value(), stack.redis_url.split("@")[0][9:]}
    kept = (settings.root / "stack.json").read_text() + str(rows)
    lines = [" ".join(psutil.Process(row["pid"]).cmdline()) for row in rows]
    assert not [secret for secret in secrets for text in [kept, *lines] if secret in text]
    assert stat.S_IMODE((settings.root / "stack.json").stat().st_mode) == 0o600


def test_everything_listens_on_loopback_only_in_sessions_of_its_own(settings: Settings):
    up(settings, LOCAL, parts=TINY)

    for row in status(settings, LOCAL):
        assert row["pid"] and os.getsid(row["pid"]) == row["pid"]
        listening = {
            connection.laddr.ip.removeprefix("::ffff:")
            for connection in psutil.Process(row["pid"]).net_connections("inet")
            if connection.status == psutil.CONN_LISTEN
        }
        assert listening <= {"127.0.0.1"}


@pytest.mark.parametrize("name", ["worker", "api", "consumer", "redis"])
def test_a_part_that_died_is_seen_and_it_alone_is_started_again(settings: Settings, name: str):
    stack = up(settings, LOCAL, parts=TINY)
    before = pids(settings)

    kill(settings, name)
    seen = {row["part"]: row["state"] for row in status(settings, LOCAL)}
    again = up(settings, LOCAL, parts=TINY)

    assert seen == {part: "died" if part == name else "running" for part in ALL}
    assert again.started == (name,)
    assert {part for part, pid in pids(settings).items() if pid != before[part]} == {name}
    assert (again.redis_url, again.api_url) == (stack.redis_url, stack.api_url)


def test_a_block_that_joined_a_stack_leaves_it_running(settings: Settings):
    up(settings, LOCAL, parts=TINY)
    before = pids(settings)

    with running(settings, LOCAL, parts=TINY) as stack:
        assert stack.started == ()

    assert pids(settings) == before


def test_another_port_than_the_running_api_s_is_one_sentence(settings: Settings):
    stack = up(settings, LOCAL, parts=TINY)
    port = int(stack.api_url.rpartition(":")[2])
    other = settings.model_copy(update={"api_port": port - 1})

    with pytest.raises(ServerError, match=f"already serves on port {port}, not {port - 1}"):
        up(other, LOCAL, parts=TINY)


def test_down_stops_in_reverse_order_and_leaves_no_process(settings: Settings):
    up(settings, LOCAL, parts=TINY)

    stopped = down(settings)

    assert stopped == ["beat", "worker", "api", "consumer", "redis", "neo4j"]
    assert_nothing_left(settings.root)
    assert {row["state"] for row in status(settings, LOCAL)} == {"stopped"}
    assert down(settings) == []
    assert join(settings, LOCAL) is None


def test_a_block_that_started_a_stack_stops_it_however_it_ends(
    tmp_path: Path, given: Neo4jSettings
):
    settings = Settings(home=tmp_path)

    with pytest.raises(KeyboardInterrupt), running(settings, given, parts=TINY) as stack:
        assert stack.started == ("redis", "consumer", "api", "worker", "beat")
        signal.raise_signal(signal.SIGINT)

    assert_nothing_left(tmp_path)
    assert [row["state"] for row in status(settings, given)] == ["external", *["stopped"] * 5]


def test_a_stack_ends_with_the_last_block_that_uses_it(tmp_path: Path, given: Neo4jSettings):
    settings = Settings(home=tmp_path)

    with running(settings, given, parts=()) as first:
        with running(settings, given, parts=()) as second:
            pass
        between = [row["state"] for row in status(settings, given)]

    assert (first.started, second.started) == (("redis",), ())
    assert between[:2] == ["external", "running"]
    assert_nothing_left(tmp_path)


def test_an_up_keeps_the_stack_that_a_block_has_started(tmp_path: Path, given: Neo4jSettings):
    settings = Settings(home=tmp_path)

    with running(settings, given, parts=()):
        up(settings, given, parts=())
    kept = status(settings, given)[1]["state"]

    assert kept == "running"
    assert down(settings) == ["redis"]


def test_a_user_that_was_killed_keeps_nothing(tmp_path: Path, given: Neo4jSettings):
    settings = Settings(home=tmp_path)

    with running(settings, given, parts=()):
        StackState.read(tmp_path).add_user(Child(os.getpid(), 1.0))

    assert_nothing_left(tmp_path)


def test_parts_are_restarted_when_an_address_has_changed(
    tmp_path: Path, given: Neo4jSettings, redis_url: str
):
    settings = Settings(home=tmp_path)
    with running(settings, given, parts=TINY[1:2]):
        elsewhere = settings.model_copy(update={"redis_url": SecretStr(redis_url)})

        stack = up(elsewhere, given, parts=TINY[1:2])

        told = httpx.get(f"{stack.api_url}/told", trust_env=False).json()
        assert stack.started == ("api",)
        assert told["PATHLIGHT_REDIS_URL"] == redis_url
        down(elsewhere)


def test_a_port_in_use_is_one_sentence_and_what_was_started_is_stopped(
    tmp_path: Path, given: Neo4jSettings
):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        settings = Settings(home=tmp_path, api_port=port)

        with pytest.raises(ServerError, match=rf"Port {port} on 127\.0\.0\.1 is already in use"):
            up(settings, given, parts=TINY)

    assert_nothing_left(tmp_path)


def test_a_part_that_cannot_start_says_its_last_words(tmp_path: Path, given: Neo4jSettings):
    broken = replace(API, arguments=("uvicorn", "--factory", "tests.api.nowhere:create_app"))

    with pytest.raises(ServerError, match=r"The api ended while starting: .*nowhere"):
        up(Settings(home=tmp_path), given, parts=[broken])

    assert_nothing_left(tmp_path)


def test_a_state_left_by_a_killed_owner_harms_nobody(tmp_path: Path):
    StackState.read(tmp_path).keep("api", Record(os.getpid(), 1.0))
    settings = Settings(home=tmp_path)

    assert state_of(settings, "api") == "died"
    assert down(settings) == []
    assert state_of(settings, "api") == "stopped"


def test_a_home_that_cannot_be_used_is_one_sentence(tmp_path: Path):
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(ServerError, match=r"file cannot be used"):
        up(Settings(home=tmp_path / "file"), LOCAL, parts=())


def test_a_given_server_that_does_not_answer_is_one_sentence(tmp_path: Path, given: Neo4jSettings):
    settings = Settings(home=tmp_path, redis_url=SecretStr("redis://127.0.0.1:9/0"))

    with pytest.raises(ServerError, match="PATHLIGHT_REDIS_URL does not answer"):
        up(settings, given, parts=TINY)
