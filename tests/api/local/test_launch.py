"""What children are told, and that a launch takes back no more than it started."""

from pathlib import Path

from pydantic import SecretStr

from api.local.launch import Launch, environment, local_neo4j
from api.local.redis_server import LocalRedis
from api.local.stack_state import StackState
from api.settings import Settings
from graphdb.connection import Neo4jSettings


def test_children_are_told_every_setting_under_its_own_name(tmp_path: Path, monkeypatch):
    settings = Settings(home=tmp_path / "here", domain="shop", retrain_minutes=7)
    neo4j = local_neo4j(7001, "graph-secret")

    env = environment(settings, neo4j, "redis://:queue-secret@127.0.0.1:7002/0", 7003)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    told, graph = Settings(), Neo4jSettings()

    assert graph == neo4j
    assert told.redis_url.get_secret_value() == "redis://:queue-secret@127.0.0.1:7002/0"
    expected = settings.model_copy(
        update={"home": settings.root, "api_port": 7003, "redis_url": told.redis_url}
    )
    assert told == expected


def test_children_are_not_told_the_key_with_which_commands_ask(tmp_path: Path):
    settings = Settings(home=tmp_path, api_key=SecretStr("plk_1_2"))

    told = environment(settings, Neo4jSettings(), "redis://127.0.0.1:1", 8000)

    assert told["PATHLIGHT_API_KEY"] == ""


def test_undo_leaves_what_was_joined(tmp_path: Path, neo4j_address):
    password = SecretStr(neo4j_address.password)
    given = Neo4jSettings(uri=neo4j_address.uri, user=neo4j_address.user, password=password)
    redis = LocalRedis(tmp_path / "redis")
    owner, _ = redis.start()
    launch = Launch(Settings(home=tmp_path), given)

    stack = launch.run(())
    launch.undo()

    assert stack.started == ()
    assert redis.owner() == owner
    redis.stop()


def test_undo_stops_what_was_started_and_forgets_it(tmp_path: Path, neo4j_address):
    password = SecretStr(neo4j_address.password)
    given = Neo4jSettings(uri=neo4j_address.uri, user=neo4j_address.user, password=password)
    launch = Launch(Settings(home=tmp_path), given)

    stack = launch.run(())
    launch.undo()

    assert stack.started == ("redis",)
    assert LocalRedis(tmp_path / "redis").owner() is None
    assert StackState.read(tmp_path).parts == {}
