"""docker-compose.yml and the Dockerfile against the code they start: names, versions, secrets."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from api.local.parts import PARTS
from api.settings import Settings, check_addresses
from graphdb.connection import Neo4jSettings
from graphdb.local.jar_lock import DEFAULT_VERSION
from graphdb.local.jars import CacheSettings
from graphdb.local.server import CONF

ROOT = Path(__file__).parents[1]
CELERY = ("worker", "trainer", "beat")
OURS = ("api", "consumer", *CELERY)
# Read by docker compose itself, to make an address from.
COMPOSE_ONLY = {"PATHLIGHT_REDIS_PASSWORD"}


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]


def setting_names() -> set[str]:
    return {
        f"{kind.model_config['env_prefix']}{field}".upper()
        for kind in (Settings, Neo4jSettings, CacheSettings)
        for field in kind.model_fields
    }


def test_every_name_in_the_files_is_a_setting(services: dict[str, Any]):
    text = (ROOT / "docker-compose.yml").read_text() + (ROOT / "Dockerfile").read_text()

    named = set(re.findall(r"PATHLIGHT_[A-Z0-9_]+", text))

    assert named - COMPOSE_ONLY <= setting_names()
    for name in OURS:
        assert set(services[name]["environment"]) <= setting_names()


def test_the_services_are_those_of_the_local_stack_and_a_trainer(services: dict[str, Any]):
    assert set(services) == {"neo4j", "redis", "trainer"} | {part.name for part in PARTS}


def test_the_graph_is_the_version_of_the_default_lock(services: dict[str, Any]):
    assert services["neo4j"]["image"] == f"neo4j:{DEFAULT_VERSION}-community"


def test_the_graph_is_told_what_the_local_one_is(services: dict[str, Any]):
    local = dict(line.split("=", 1) for line in CONF.splitlines())
    told = services["neo4j"]["environment"]
    # The image turns access control on by itself; the others spare a local server time and space.
    apart = {
        "dbms.security.auth_enabled",
        "db.tx_log.preallocate",
        "internal.dbms.bolt.netty_server_shutdown_quiet_period",
    }
    expected = {
        f"NEO4J_{name.replace('_', '__').replace('.', '_')}": value
        for name, value in local.items()
        if name.startswith(("db.", "dbms.", "internal.")) and name not in apart
    }

    assert {name: told.get(name) for name in expected} == expected


def test_the_addresses_would_be_accepted(services: dict[str, Any]):
    told = services["worker"]["environment"]
    redis = re.sub(r"\$\{[^}]*\}", "secret", told["PATHLIGHT_REDIS_URL"])
    neo4j = Neo4jSettings(uri=told["PATHLIGHT_NEO4J_URI"], password=SecretStr("secret"))

    check_addresses(Settings(redis_url=SecretStr(redis)), neo4j)

    assert redis == "redis://:secret@redis:6379/0"


def test_secrets_have_no_default_and_nothing_but_the_api_is_published(services: dict[str, Any]):
    text = (ROOT / "docker-compose.yml").read_text()

    assert not re.search(r"PASSWORD:-", text)
    assert [name for name in services if "ports" in services[name]] == ["api"]
    assert services["api"]["ports"][0].startswith("127.0.0.1:")


def test_redis_loses_nothing_it_acknowledged(services: dict[str, Any]):
    command = services["redis"]["command"][-1]

    for line in ("appendonly yes", "appendfsync always", "maxmemory-policy noeviction"):
        assert line in command


def test_training_has_a_queue_and_a_process_of_its_own(services: dict[str, Any]):
    assert "--queues pathlight " in services["worker"]["command"]
    assert "--queues training " in services["trainer"]["command"]


def test_the_image_starts_what_the_local_stack_starts(services: dict[str, Any]):
    dockerfile = (ROOT / "Dockerfile").read_text()
    applications = {word for part in PARTS for word in part.arguments if word.startswith("api.")}

    assert applications == {"api.app:create_app", "api.worker", "api.consumer"}
    assert '"api.app:create_app"' in dockerfile
    assert all("-A api.worker " in services[name]["command"] for name in CELERY)
    assert services["consumer"]["command"] == "python -m api.consumer"
    for package in ("graphdb", "ingest", "training", "api", "domains"):
        assert f"COPY {package} {package}" in dockerfile
