"""The loop's steps called alone: what little data does, and what is left on disk."""

import os
import time
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from api.answers.answer import Query
from api.loop.child_process import StepRefusedError
from api.loop.cycle import export, publish_artifact, train
from api.settings import Settings
from graphdb.audit.audit import AuditError
from graphdb.catalogue.catalogue import save_items
from graphdb.connection import Neo4jSettings
from graphdb.events.events import save_events
from graphdb.versions.versions import fetch_serving
from tests.api.versions import build_artifact, fill_graph
from tests.rows import NOON, event_row, item_row
from training.artifact import read_artifact


def silent(step: str, done: int, total: int) -> None:
    """Nobody watches."""


@pytest.fixture
def settings(artifacts: Path) -> Settings:
    return Settings(home=artifacts.parent, keep_snapshots=2, keep_artifacts=3)


@pytest.fixture
def neo4j(neo4j_address) -> Neo4jSettings:
    address = neo4j_address
    return Neo4jSettings(uri=address.uri, user=address.user, password=SecretStr(address.password))


@pytest.fixture
def snapshot(graph, domain, settings, neo4j, without_texts):
    """Export the graph as it is under a name, its texts not encoded."""

    def take(name: str, progress=silent) -> Path:
        return export(settings, neo4j, graph, domain, name, progress)

    return take


def test_a_snapshot_without_events_is_refused_in_one_sentence(graph, domain, settings, snapshot):
    save_items(graph, domain, [item_row("1"), item_row("2")])

    with pytest.raises(StepRefusedError, match="has 0 events and none with a positive weight"):
        train(settings, snapshot("s"), "a", silent)

    assert not (settings.artifacts / "a").exists()


def test_an_empty_graph_is_refused_in_one_sentence(settings, snapshot):
    with pytest.raises(StepRefusedError, match="nothing to learn from"):
        train(settings, snapshot("s"), "a", silent)


def test_only_dismissals_are_refused_in_one_sentence(graph, domain, settings, snapshot):
    rows = [event_row("u", item, event_type="dismissed") for item in "123"]
    save_events(graph, domain, "api", rows)

    with pytest.raises(StepRefusedError, match="3 events and none with a positive weight"):
        train(settings, snapshot("s"), "a", silent)


ONE_USER = [event_row("u", str(n), n) for n in range(5)]
ONE_ITEM = [event_row(f"u{n}", "1", n) for n in range(5)]
ONE_EVENT = [event_row("u", "1")]


@pytest.mark.parametrize(
    ("rows", "users", "items"),
    [(ONE_USER, 1, 5), (ONE_ITEM, 5, 1), (ONE_EVENT, 1, 1)],
    ids=["one user", "one item", "one event"],
)
def test_the_least_there_is_to_learn_from_is_learned_published_and_served(
    graph, domain, settings, snapshot, recommender, rows, users, items
):
    save_events(graph, domain, "api", rows)

    artifact = train(settings, snapshot("s"), "a", silent)
    publish_artifact(settings, graph, artifact, 0, silent)

    read = read_artifact(artifact)
    assert (len(read.user_keys), len(read.item_ids)) == (users, items)
    assert fetch_serving(graph)["id"] == "a"
    seen = recommender.recommend(Query(rows[0]["user_id"], k=5))
    everything = recommender.recommend(Query(rows[0]["user_id"], k=5, exclude_seen=False))
    assert (seen.model_version, seen.items, seen.degraded) == ("a", [], [])
    assert {item.id for item in everything.items} == set(read.item_ids)
    assert recommender.recommend(Query("stranger")).fallback == "popular"


def test_a_graph_that_fails_its_audit_is_not_trained_on(graph, domain, settings, neo4j, snapshot):
    fill_graph(graph, domain)
    graph.write("MATCH (u:User {id: 'p1'})-[r:RATED]->() WITH r LIMIT 1 SET r.value = 'four'")
    told = []

    with pytest.raises(AuditError, match="wrong_event_types counts 1 of 120"):
        snapshot("s", lambda step, done, total: told.append(step))

    assert not (settings.snapshots / "s").exists()
    assert set(told) == {"audit"}


def test_it_is_exported_anyway_where_the_gate_is_open(
    graph, domain, settings, neo4j, without_texts
):
    fill_graph(graph, domain)
    graph.write("MATCH (u:User {id: 'p1'}) SET u.recent_events = [0.5]")
    opened = settings.model_copy(update={"audit_gate": False})
    told = []

    def progress(step: str, done: int, total: int) -> None:
        told.append(step)

    with pytest.raises(AuditError, match="wrong_user_types counts 1 of 12"):
        export(settings, neo4j, graph, domain, "s", progress)
    told.clear()
    written = export(opened, neo4j, graph, domain, "s", progress)

    assert (written / "manifest.json").is_file()
    assert "audit" not in told


def test_the_whole_loop_tells_where_it_is(graph, domain, settings, neo4j):
    fill_graph(graph, domain)
    told = []

    def progress(step: str, done: int, total: int) -> None:
        told.append((step, done, total))

    exported = export(settings, neo4j, graph, domain, "s", progress)
    artifact = train(settings, exported, "a", progress)
    publish_artifact(settings, graph, artifact, 0, progress)

    steps = list(dict.fromkeys(step for step, _, _ in told))
    assert steps[:3] == ["audit", "texts", "export"]
    assert steps[-6:] == ["items", "users", "similar", "index", "probe", "flip"]
    assert ("texts", 40, 40) in told
    assert ("flip", 1, 1) in told


def test_what_is_left_on_disk_is_bounded(graph, domain, settings, snapshot):
    fill_graph(graph, domain)
    for n in range(5):
        build_artifact(graph, settings.artifacts / f"v{n}", seed=n)
        past = time.time() - 3600 * (5 - n)
        os.utime(settings.artifacts / f"v{n}", (past, past))
    fresh, abandoned = settings.artifacts / ".v9.fresh", settings.artifacts / ".v8.abandoned"
    for path, age in ((fresh, timedelta(hours=1)), (abandoned, timedelta(days=2))):
        path.mkdir()
        past = time.time() - age.total_seconds()
        os.utime(path, (past, past))

    for name in ("v0", "v3"):
        publish_artifact(settings, graph, settings.artifacts / name, 0, silent)
    taken = [snapshot(f"s{n}").name for n in range(4)]

    # What serves and what stands by stay, however old; the newest fills the rest.
    assert {p.name for p in settings.artifacts.iterdir()} == {"v0", "v3", "v4", ".v9.fresh"}
    assert {p.name for p in settings.snapshots.iterdir()} == set(taken[-2:])


def test_a_snapshot_of_the_same_name_is_replaced(graph, domain, settings, snapshot):
    save_events(graph, domain, "api", [event_row("u", "1")])
    first = (snapshot("s") / "manifest.json").read_text()
    save_events(graph, domain, "api", [event_row("u", "2", occurred_at=NOON)])

    second = (snapshot("s") / "manifest.json").read_text()

    assert '"events": 1' in first
    assert '"events": 2' in second
