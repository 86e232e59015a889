"""What serves in one process's memory: mapped once, kept up with the graph, honest about gaps."""

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from api.answers.answer import NothingPublishedError
from api.loop.publication import publish
from api.serving.breaker import GraphBreaker
from api.serving.serving import Serving, UnmappedError
from graphdb.catalogue.catalogue import save_items
from graphdb.errors import GraphUnavailableError
from graphdb.local.processes import wait_until
from graphdb.people.erasure import erase_person
from graphdb.people.people import fetch_people, join_people
from graphdb.versions.versions import fetch_serving, rollback
from tests.api.versions import build_artifact
from tests.rows import item_row
from training.artifact import ArtifactError


def mapped(serving) -> str:
    """The version that serves. Raises UnmappedError when another is in memory."""
    found = fetch_serving(serving.graph)
    if serving.version is None or serving.version.id != found["id"]:
        raise UnmappedError(found["id"], found["slot"])
    return serving.version.id


def current(serving) -> str:
    """The version that serves, by asking as an answer does."""
    return serving.answer(
        mapped, lambda _: "published", lambda version, _: f"{version.id} in memory", serving
    )


def down() -> str:
    raise GraphUnavailableError("down")


def test_what_serves_is_mapped_when_first_asked_for(serving, world):
    assert serving.version is None

    assert current(serving) == "v1"

    assert serving.version.id == "v1"
    assert serving.version.artifact.item_ids == world.item_ids


def test_a_new_version_is_in_the_next_answer_and_a_rollback_reads_no_files(
    graph, serving, world, artifacts
):
    assert current(serving) == "v1"
    first = serving.version
    build_artifact(graph, artifacts / "v2", seed=5)
    publish(graph, artifacts / "v2")
    assert current(serving) == "v2"
    shutil.rmtree(artifacts / "v1")

    rollback(graph)

    assert current(serving) == "v1"
    assert serving.version.artifact is first.artifact


def test_of_many_who_ask_at_once_one_maps(serving, world):
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: current(serving), range(16)))

    assert answers == ["v1"] * 16
    assert serving._before is None


def test_without_the_graph_memory_answers_and_says_so(serving, world):
    with pytest.raises(NothingPublishedError, match="nothing was published here before"):
        serving.answer(down, None, lambda version: version.id)
    serving.breaker.watch(int)
    serving.refresh()

    assert serving.answer(down, None, lambda version: version.id) == "v1"


@pytest.fixture
def away(graph, world, serving, tmp_path) -> Path:
    """Version v1 in memory, v2 serving, whose files are here and not where they belong."""
    serving.refresh()
    build_artifact(graph, tmp_path / "away" / "v2", seed=5)
    publish(graph, tmp_path / "away" / "v2")
    return tmp_path / "away" / "v2"


def test_without_its_files_what_serves_answers_by_the_graph_until_they_are_back(
    serving, away, artifacts, monkeypatch
):
    monkeypatch.setattr("api.serving.serving.UNREADABLE_S", 0.0)

    assert current(serving) == "published"
    with pytest.raises(ArtifactError, match="version v2 cannot be read"):
        serving.refresh()
    assert serving.answer(down, None, lambda version: version.id) == "v1"

    serving.breaker.watch(int)
    shutil.copytree(away, artifacts / "v2")
    assert current(serving) == "v2"


def test_without_its_files_who_and_what_is_gone_is_noted_all_the_same(
    graph, domain, serving, away, monkeypatch
):
    monkeypatch.setattr("api.serving.serving.WITHHELD_S", 0.0)
    erase_person(graph, "p0")
    join_people(graph, "p1", "p2")
    save_items(graph, domain, [item_row("7", hidden=True)])

    with pytest.raises(ArtifactError):
        serving.refresh()

    memory = serving.version
    assert (memory.id, memory.withheld.now()) == ("v1", {"7"})
    assert memory.people.keys_of("p0") == []
    assert memory.people.keys_of("p2") == memory.people.keys_of("p1") != []


def test_unreadable_files_are_not_read_again_for_every_answer(serving, away, artifacts):
    assert current(serving) == "published"

    shutil.copytree(away, artifacts / "v2")

    assert current(serving) == "published"


def test_what_has_no_answer_by_the_graph_alone_names_the_files(serving, world, artifacts):
    (artifacts / "v1" / "similar.parquet").unlink()

    with pytest.raises(ArtifactError, match=r"version v1 .*similar\.parquet is missing"):
        serving.answer(mapped, None, lambda version, _: version.id, serving)


def test_an_item_hidden_later_is_noticed_in_memory(graph, domain, serving, world, monkeypatch):
    serving.refresh()
    monkeypatch.setattr("api.serving.serving.WITHHELD_S", 0.0)
    save_items(graph, domain, [item_row("7", hidden=True)])

    serving.refresh()

    assert serving.version.withheld.now() == {"7"}


def test_what_this_process_wrote_is_known_at_once_and_stays(graph, domain, serving, world):
    serving.refresh()
    save_items(graph, domain, [item_row("7", hidden=True)])
    serving.withhold({"7": 0.0})
    join_people(graph, "p0", "p1")
    serving.join("p1", "p0")

    for _ in range(2):
        assert serving.version.withheld.now() == {"7"}
        assert serving.version.people.keys_of("p1") == serving.version.people.keys_of("p0")
        assert len(serving.version.people.keys_of("p0")) == 2
        serving.refresh()

    serving.forget("p1")
    assert serving.version.people.keys_of("p0") == []


def test_what_is_withheld_is_known_before_any_version_and_to_a_later_process(
    graph, domain, serving, artifacts
):
    soon = datetime.now(UTC) + timedelta(seconds=1)
    rows = [item_row("7", hidden=True), item_row("8") | {"expires_at": soon}]
    save_items(graph, domain, rows)
    serving.refresh()
    serving.withhold({"9": 0.0})

    later = Serving(graph, artifacts, GraphBreaker())

    assert serving.version is None
    assert {"7", "9"} <= serving.withheld().now()
    assert wait_until(lambda: later.withheld().now() == {"7", "8"}, 5)


def test_a_version_is_never_seen_half_mapped(graph, serving, world, artifacts):
    """While versions change, whoever looks sees one whose parts belong together."""
    build_artifact(graph, artifacts / "v2", seed=5)
    publish(graph, artifacts / "v2")
    serving.refresh()
    stopped, wrong = threading.Event(), []

    def look() -> None:
        while not stopped.is_set():
            version = serving.version
            if version.id != version.artifact.model.id:
                wrong.append(version.id)

    with ThreadPoolExecutor(2) as pool:
        looking = [pool.submit(look) for _ in range(2)]
        for _ in range(6):
            rollback(graph)
            serving.refresh()
        stopped.set()
    assert [done.result() for done in looking] == [None, None]
    assert wrong == []


def test_a_process_started_without_the_graph_answers_from_what_served_last(
    graph, domain, serving, world, artifacts
):
    save_items(graph, domain, [item_row("7", hidden=True)])
    serving.refresh()
    serving.refresh()
    home = artifacts.parent
    written = (home / "serving.json").read_text() + (home / "withheld.json").read_text()
    assert not any(
        key in written or f'"{person}"' in written for person, key in fetch_people(graph).items()
    )

    later = Serving(graph, artifacts, GraphBreaker())
    assert later.answer(down, None, lambda version: version.id) == "v1"
    assert (later.version.withheld.now(), later.version.people.keys) == ({"7"}, {})

    later.breaker.watch(int)
    later.refresh()
    assert later.version.people.keys == fetch_people(graph)


def test_a_marker_of_a_version_whose_files_are_gone_is_no_version(graph, serving, world, artifacts):
    serving.refresh()
    serving.refresh()
    shutil.rmtree(artifacts / "v1")

    with pytest.raises(NothingPublishedError):
        Serving(graph, artifacts, GraphBreaker()).answer(down, None, lambda version: version.id)
