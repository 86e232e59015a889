"""Whose secret it is: from memory, alike in time whoever asks, also while the graph is away."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from api.access.keyring import Keyring, digest_of, new_secret
from graphdb.api_keys import revoke_api_key, save_api_key
from graphdb.connection import SERVING, Graph
from graphdb.errors import GraphUnavailableError
from graphdb.local.processes import choose_port

ROUNDS = 400
HOUR = timedelta(hours=1)


def create(graph, **given) -> tuple[str, str]:
    id, secret = new_secret()
    save_api_key(graph, id, digest_of(secret), **{"name": "n", "scopes": ["read"], **given})
    return id, secret


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "home" / "keys.json"


@pytest.fixture
def keyring(graph, file) -> Keyring:
    return Keyring(graph, file)


@pytest.fixture
def without_graph(file) -> Iterator[Keyring]:
    """A process's that starts while nothing listens where the graph should be."""
    with Graph(f"bolt://127.0.0.1:{choose_port(0)}", "secret", patience=SERVING) as nowhere:
        yield Keyring(nowhere, file)


def test_a_secret_is_that_of_its_key_until_it_is_revoked_or_expires(graph, keyring):
    id, secret = create(graph)
    _, late = create(graph, expires_at=datetime.now(UTC) - HOUR)
    soon_id, soon = create(graph, expires_at=datetime.now(UTC) + HOUR)
    assert not keyring.known

    keyring.refresh()

    found, expiring = keyring.find(secret), keyring.find(soon)
    assert found is not None and (found.id, found.scopes) == (id, ["read"])
    assert expiring is not None and expiring.id == soon_id
    assert keyring.find(late) is None
    assert not keyring.empty
    revoke_api_key(graph, id)
    keyring.refresh()
    assert keyring.find(secret) is None
    assert not keyring.empty


def test_whatever_else_is_nobodys(graph, keyring):
    id, secret = create(graph)
    keyring.refresh()
    _, foreign = new_secret()

    for wrong in ("", id, secret[:-1], secret + "x", f"plk_{id}_", foreign, "plk_", "ü" * 9, "_"):
        assert keyring.find(wrong) is None, wrong


def test_time_does_not_tell_why_a_secret_is_refused(graph, keyring):
    id, _ = create(graph)
    revoked_id, revoked = create(graph)
    _, expired = create(graph, expires_at=datetime.now(UTC) - HOUR)
    revoke_api_key(graph, revoked_id)
    keyring.refresh()
    _, foreign = new_secret()
    wrong = foreign.replace(foreign.split("_")[1], id)
    asked = {"foreign": foreign, "wrong": wrong, "revoked": revoked, "expired": expired}
    # The fastest of many: what the machine does meanwhile only ever adds.
    fastest = dict.fromkeys(asked, float("inf"))

    for _ in range(ROUNDS):
        for name, secret in asked.items():
            begun = time.perf_counter()
            assert keyring.find(secret) is None
            fastest[name] = min(fastest[name], time.perf_counter() - begun)

    assert max(fastest.values()) < 2 * min(fastest.values()), fastest


def test_without_the_graph_what_was_read_last_counts_in_a_new_process_too(
    graph, keyring, without_graph, file
):
    _, secret = create(graph)
    keyring.refresh()

    with pytest.raises(GraphUnavailableError):
        without_graph.refresh()
    without_graph.recall()

    assert without_graph.find(secret) == keyring.find(secret) is not None
    assert secret.split("_", 2)[2] not in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600


def test_where_nothing_was_ever_read_nothing_is_known(without_graph, file):
    with pytest.raises(GraphUnavailableError):
        without_graph.refresh()
    without_graph.recall()

    assert not without_graph.known
    assert not without_graph.empty
    assert not file.exists()


def test_no_key_at_all_is_remembered_as_well(keyring, without_graph):
    keyring.refresh()
    without_graph.recall()

    assert keyring.known and keyring.empty
    assert without_graph.known and without_graph.empty
