"""API keys in the graph: kept once, listed whole, revoked for good."""

from datetime import datetime

from graphdb.api_keys import list_api_keys, revoke_api_key, save_api_key
from tests.rows import NOON


def test_a_key_is_kept_as_a_hash_with_what_it_may(graph):
    save_api_key(graph, "a", "d1", name="shop", scopes=["events", "read"], rate=60)
    save_api_key(graph, "b", "d2", name="page", scopes=["public"], expires_at=NOON)

    first, second = list_api_keys(graph)

    assert (first.id, first.name, first.digest, first.scopes, first.rate) == (
        *("a", "shop", "d1"),
        *(["events", "read"], 60),
    )
    assert (first.expires_at, first.revoked_at) == (None, None)
    assert second.scopes == ["public"]
    assert second.expires_at is not None
    assert datetime.fromisoformat(second.expires_at) == NOON
    assert first.created_at <= second.created_at


def test_the_same_id_again_changes_nothing(graph):
    save_api_key(graph, "a", "d1", name="shop", scopes=["read"])
    save_api_key(graph, "a", "d2", name="thief", scopes=["admin"])

    (key,) = list_api_keys(graph)

    assert (key.digest, key.name, key.scopes) == ("d1", "shop", ["read"])


def test_a_revoked_key_stays_revoked_and_listed(graph):
    save_api_key(graph, "a", "d1", name="shop", scopes=["read"])

    assert revoke_api_key(graph, "a")
    (revoked,) = list_api_keys(graph)
    assert revoke_api_key(graph, "a")

    assert revoked.revoked_at is not None
    assert list_api_keys(graph) == [revoked]
    assert not revoke_api_key(graph, "b")
