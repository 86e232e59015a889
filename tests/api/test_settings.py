"""Which settings are accepted, and that their names are the documented environment variables."""

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from api.settings import Settings, SettingsError, check_addresses, redis_database
from graphdb.connection import Neo4jSettings


def neo4j(uri: str = "", password: str = "") -> Neo4jSettings:
    return Neo4jSettings(uri=uri, password=SecretStr(password))


def redis(url: str = "") -> Settings:
    return Settings(redis_url=SecretStr(url))


@pytest.mark.parametrize(
    "uri",
    ["bolt://db.example.org:7687", "neo4j+s://abc.databases.neo4j.io", "bolt://10.0.0.5:7687"],
)
def test_a_remote_graph_without_a_password_is_refused(uri: str):
    with pytest.raises(SettingsError, match=r"PATHLIGHT_NEO4J_URI .* without a password"):
        check_addresses(redis(), neo4j(uri))

    check_addresses(redis(), neo4j(uri, "secret"))


@pytest.mark.parametrize("url", ["redis://queue.example.org:6379/0", "rediss://user@10.0.0.5:6379"])
def test_a_remote_redis_without_a_password_is_refused(url: str):
    with pytest.raises(SettingsError, match=r"PATHLIGHT_REDIS_URL .* without a password"):
        check_addresses(redis(url), neo4j())


@pytest.mark.parametrize("url", ["redis://:secret@queue.example.org:6379/0", "redis://[::1]:6379"])
def test_a_password_or_loopback_is_accepted(url: str):
    check_addresses(redis(url), neo4j("bolt://localhost:7687"))


def test_what_is_no_address_is_named():
    with pytest.raises(SettingsError, match="PATHLIGHT_NEO4J_URI is not an address"):
        check_addresses(redis(), neo4j("localhost", "x"))


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATHLIGHT_HOME", "elsewhere")
    monkeypatch.setenv("PATHLIGHT_REDIS_URL", "redis://:secret@127.0.0.1:1/3")
    monkeypatch.setenv("PATHLIGHT_LOG_BYTES", "20000")

    settings = Settings()

    assert settings.root == Path.cwd() / "elsewhere"
    assert settings.log_bounds.max_bytes == 20000
    assert "secret" not in repr(settings)
    assert redis_database(settings.redis_url.get_secret_value(), 1).endswith("@127.0.0.1:1/4")


def test_origins_are_addresses_without_a_path(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATHLIGHT_CORS_ORIGINS", "https://shop.example  http://localhost:3000")
    assert Settings().origins == ["https://shop.example", "http://localhost:3000"]

    for text in ("shop.example", "https://shop.example/", "https://a.example,https://b.example"):
        monkeypatch.setenv("PATHLIGHT_CORS_ORIGINS", text)
        with pytest.raises(ValidationError, match="expected origins such as"):
            Settings()


@pytest.mark.parametrize("port", ["-1", "70000", "http"])
def test_a_port_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, port: str):
    monkeypatch.setenv("PATHLIGHT_API_PORT", port)

    with pytest.raises(ValidationError, match="api_port"):
        Settings()


@pytest.mark.parametrize(
    ("url", "expected"),
    [("redis://h:1", "redis://h:1/1"), ("redis://:p@h:1/2?a=b", "redis://:p@h:1/3?a=b")],
)
def test_the_next_database_of_a_redis(url: str, expected: str):
    assert redis_database(url, 1) == expected
