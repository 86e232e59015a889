"""`pathlight keys` on the suite's servers."""

import json

import pytest
from typer.testing import CliRunner

from api.access.keyring import digest_of
from api.cli import app
from graphdb.api_keys import list_api_keys
from graphdb.errors import PathlightError


@pytest.fixture
def keys(graph, neo4j_address, redis_url, tmp_path, monkeypatch):
    """Run `pathlight keys …` in this process; gives what it printed, raises what it refused."""
    monkeypatch.setenv("PATHLIGHT_HOME", str(tmp_path))
    monkeypatch.setenv("PATHLIGHT_REDIS_URL", redis_url)
    for name, value in vars(neo4j_address).items():
        monkeypatch.setenv(f"PATHLIGHT_NEO4J_{name.upper()}", value)

    def run(*arguments: str) -> str:
        done = CliRunner().invoke(app, ["keys", *arguments], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    return run


def test_keys_are_created_listed_and_revoked(keys, graph):
    assert keys("list", "--json") == "[]\n"
    told = json.loads(keys("create", "page", "--public", "--rate", "600", "--json"))
    (kept,) = list_api_keys(graph)
    assert (told["id"], told["scopes"]) == (kept.id, ["public"])
    assert kept.digest == digest_of(told["secret"])

    shop = json.loads(
        keys(*("create", "shop", "--scope", "read", "--scope", "events", "--days", "30", "--json"))
    )
    keys("revoke", shop["id"])
    listed = keys("list", "--json")

    page, revoked = list_api_keys(graph)
    assert (page.rate, page.expires_at, page.revoked_at) == (600, None, None)
    assert (revoked.scopes, revoked.digest) == (["events", "read"], digest_of(shop["secret"]))
    assert revoked.expires_at is not None and revoked.revoked_at is not None
    assert [row["name"] for row in json.loads(listed)] == ["page", "shop"]
    assert not [x for x in (told, shop) if x["secret"].split("_", 2)[2] in listed]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("create", "x"), "say --public, or with --scope what it may do: events, read, catalogue"),
        (("create", "x", "--scope", "root"), "there is no scope 'root': expected events, read"),
        (("create", "x", "--scope", "read", "--public"), "a public key has no scopes of its own"),
        (("revoke", "nine"), "there is no API key 'nine'"),
    ],
)
def test_what_a_key_may_must_be_said_and_the_key_be_there(keys, graph, arguments, sentence):
    with pytest.raises(PathlightError, match=sentence):
        keys(*arguments)

    assert list_api_keys(graph) == []
