"""The snapshot of a graph: a clean cut, people under keys, proven complete."""

import contextlib
import threading
from datetime import timedelta

import pyarrow.compute as pc
import pytest

from graphdb.catalogue.catalogue import list_unencoded, save_items, save_text_vectors, save_users
from graphdb.catalogue.removal import delete_item
from graphdb.domain import parse_domain
from graphdb.errors import PathlightError
from graphdb.events.events import save_events
from graphdb.events.retraction import retract_event
from graphdb.export.export import ExportError, export_snapshot, fetch_cut
from graphdb.people.erasure import erase_person
from graphdb.snapshot import read_snapshot
from tests.rows import NOON, event_row, item_row

DECAYING = """
name = "films"
[item]
label = "Film"
[events.rated]
relationship = "RATED"
value = "multiply"
half_life_days = 20
"""


def test_a_snapshot_holds_the_graph_and_no_persons_id(graph, domain, tmp_path):
    save_items(graph, domain, [item_row("2", title="Ran", genres=["War", "Drama"]), item_row("1")])
    save_users(graph, domain, [{"id": "ann@example.org", "fields": {"age": 41}}])
    rows = [
        event_row("ann@example.org", "2", 5, value=4.0),
        event_row("ann@example.org", "1", 1),
        event_row("bob@example.org", "2", 3, event_type="dismissed"),
    ]
    save_events(graph, domain, "api", rows)
    waiting = list_unencoded(graph, "e@1", 10)
    vectors = [{"id": r["id"], "digest": r["digest"], "vector": [0.5, 0.5]} for r in waiting]
    save_text_vectors(graph, "e@1", vectors)

    export_snapshot(graph, domain, tmp_path / "s")

    snapshot = read_snapshot(tmp_path / "s")
    assert snapshot.manifest.cut == {"api": 2}
    assert snapshot.manifest.text_encoder == "e@1"
    assert snapshot.items["id"].to_pylist() == ["1", "2"]
    assert snapshot.items["text_vector"].to_pylist() == [None, [0.5, 0.5]]
    keys, ages = snapshot.users["key"].to_pylist(), snapshot.users["age"].to_pylist()
    ann = ages.index(41)
    assert keys == sorted(keys)
    mine = [e for e in snapshot.events.to_pylist() if e["user"] == ann]
    assert [(e["item"], e["type"], e["value"], e["weight"]) for e in mine] == [
        (0, "rated", None, 1.0),
        (1, "rated", 4.0, 1.0),
    ]
    theirs = next(e for e in snapshot.events.to_pylist() if e["user"] != ann)
    assert (theirs["type"], theirs["weight"]) == ("dismissed", -1.0)
    assert snapshot.edges["HAS_GENRE"].to_pylist() == [
        {"from_kind": "item", "from": 1, "to_kind": "Genre", "to": None, "node": "Drama"},
        {"from_kind": "item", "from": 1, "to_kind": "Genre", "to": None, "node": "War"},
    ]
    written = b"".join(p.read_bytes() for p in (tmp_path / "s").rglob("*") if p.is_file())
    assert b"example.org" not in written


def test_an_empty_graph_is_an_empty_snapshot(graph, domain, tmp_path):
    manifest = export_snapshot(graph, domain, tmp_path / "s")

    assert manifest.counts["events"] == manifest.counts["users"] == 0
    assert read_snapshot(tmp_path / "s").events.num_rows == 0


def test_an_event_that_is_missing_is_noticed(graph, domain, tmp_path):
    save_events(graph, domain, "api", [event_row("ann", "1"), event_row("ann", "2")])
    graph.write("MATCH ()-[r:RATED {event_id: 'ann-2'}]->() DELETE r")

    with pytest.raises(ExportError, match=r"2 events were counted up to .*, 1 were read"):
        export_snapshot(graph, domain, tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_a_snapshot_under_writes_is_the_cut_it_names(graph, domain, tmp_path):
    save_events(graph, domain, "api", [event_row(f"u{n}", "i", n) for n in range(50)])
    stop = threading.Event()

    def write() -> None:
        for n in range(50, 10_000):
            if stop.is_set():
                return
            save_events(
                graph, domain, "api", [event_row(f"u{n % 70}", f"i{n}", n, event_id=str(n))]
            )

    writer = threading.Thread(target=write)
    writer.start()
    try:
        manifests = [export_snapshot(graph, domain, tmp_path / f"s{n}") for n in range(4)]
    finally:
        stop.set()
        writer.join()

    for manifest in manifests:
        assert manifest.counts["events"] == manifest.cut["api"] + 1
    assert manifests[0].cut["api"] < manifests[-1].cut["api"] <= fetch_cut(graph)["api"]
    events = read_snapshot(tmp_path / "s3").events
    assert pc.count_distinct(events["item"]).as_py() == manifests[-1].counts["events"] - 49


def table(directory):
    """Every table file's content by name."""
    return {
        str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*.parquet")
    }


def test_one_since_another_equals_a_full_one(graph, domain, tmp_path):
    rows = [event_row(f"u{n % 9}", f"i{n % 7}", n, event_id=str(n)) for n in range(60)]
    save_events(graph, domain, "api", rows[:40])
    export_snapshot(graph, domain, tmp_path / "first")
    save_events(graph, domain, "api", rows[40:50])
    retract_event(graph, domain, "rated", "3")
    graph.write("MATCH (a:User {id: 'u1'}), (b:User {id: 'u2'}) CREATE (a)-[:SAME_AS]->(b)")

    later = export_snapshot(graph, domain, tmp_path / "later", since=tmp_path / "first")
    full = export_snapshot(graph, domain, tmp_path / "full")

    assert (later.since, later.since_refused, full.since) == ("first", None, None)
    assert later.counts == full.counts
    assert table(tmp_path / "later") == table(tmp_path / "full")
    assert later.counts["users"] == 8


def test_weights_that_decay_and_what_was_removed_are_those_of_a_full_one(graph, tmp_path):
    decaying = parse_domain(DECAYING, "films.toml")
    days = [NOON + timedelta(days=n) for n in range(40)]
    rows = [
        event_row(f"u{n % 9}", f"i{n % 7}", event_id=str(n), value=4.0, at=day, received_at=day)
        for n, day in enumerate(days)
    ]
    save_events(graph, decaying, "api", rows[:30])
    export_snapshot(graph, decaying, tmp_path / "first", received_by=days[29])
    save_events(graph, decaying, "api", rows[30:])
    delete_item(graph, "i6")
    erase_person(graph, "u1")
    options = {"received_by": days[39] + timedelta(days=20)}

    later = export_snapshot(graph, decaying, tmp_path / "l", since=tmp_path / "first", **options)
    full = export_snapshot(graph, decaying, tmp_path / "f", **options)

    assert later.counts == full.counts
    assert table(tmp_path / "l") == table(tmp_path / "f")
    events = read_snapshot(tmp_path / "l").events
    assert pc.max(events["weight"]).as_py() == pytest.approx(2.0, rel=0.1)
    assert len(set(events["weight"].to_pylist())) > 10


def test_a_base_that_cannot_serve_makes_it_a_full_one_that_says_so(graph, domain, tmp_path):
    save_events(graph, domain, "api", [event_row("ann", "1")])
    export_snapshot(graph, domain, tmp_path / "first")
    other = domain.model_copy(update={"weight_cap": 3.0})

    missing = export_snapshot(graph, domain, tmp_path / "a", since=tmp_path / "none")
    changed = export_snapshot(graph, other, tmp_path / "b", since=tmp_path / "first")
    earlier = export_snapshot(
        graph, domain, tmp_path / "c", since=tmp_path / "first", received_by=NOON
    )

    assert "not a snapshot" in missing.since_refused
    assert "another domain" in changed.since_refused
    assert "received after" in earlier.since_refused
    assert [m.counts["events"] for m in (missing, changed, earlier)] == [1, 1, 0]
    assert {m.since for m in (missing, changed, earlier)} == {None}


def test_one_as_of_a_time_holds_what_had_come_in_by_then(graph, domain, tmp_path):
    late = {"received_at": NOON + timedelta(days=9)}
    save_events(graph, domain, "api", [event_row("ann", "1"), event_row("bob", "2")])
    save_events(graph, domain, "api", [event_row("ann", "3", **late)])

    manifest = export_snapshot(graph, domain, tmp_path / "s", received_by=NOON + timedelta(days=2))

    assert (manifest.counts["events"], manifest.cut) == (2, {"api": 1})
    assert manifest.received_by == manifest.as_of == NOON + timedelta(days=2)
    since = export_snapshot(graph, domain, tmp_path / "t", since=tmp_path / "s")
    assert (since.since, since.counts["events"], since.cut) == ("s", 3, {"api": 2})


def test_a_snapshot_beside_saves_retractions_and_merges_is_a_state_that_was(
    graph, domain, tmp_path
):
    rows = [event_row(f"u{n}", "i", n, event_id=str(n)) for n in range(60)]
    save_events(graph, domain, "api", rows)
    stop = threading.Event()

    def save() -> None:
        n = 60
        while not stop.is_set():
            row = event_row(f"u{n % 70}", f"i{n}", n, event_id=str(n))
            # A batch that retractions kept from being judged wrote nothing: it is sent again.
            with contextlib.suppress(PathlightError):
                save_events(graph, domain, "api", [row])
                n += 1

    def retract() -> None:
        for n in range(60):
            if stop.is_set():
                return
            retract_event(graph, domain, "rated", str(n))
            graph.write(
                "MATCH (a:User {id: $a}), (b:User {id: 'u69'}) MERGE (a)-[:SAME_AS]->(b)",
                a=f"u{n}",
            )

    writers = [threading.Thread(target=work) for work in (save, retract)]
    for writer in writers:
        writer.start()
    try:
        manifests = [export_snapshot(graph, domain, tmp_path / f"s{n}") for n in range(4)]
    finally:
        stop.set()
        for writer in writers:
            writer.join()

    for n, manifest in enumerate(manifests):
        snapshot = read_snapshot(tmp_path / f"s{n}")
        items = [int(i[1:] or -1) for i in snapshot.items["id"].to_pylist()]
        found = sorted(items[row] for row in snapshot.events["item"].to_pylist())
        # Every event of its own item up to the cut is there once; of the first 60, on one item,
        # a number that some retractions have left.
        assert [i for i in found if i >= 0] == list(range(60, manifest.cut["api"] + 1))
        assert 0 <= len(found) - (manifest.cut["api"] - 59) <= 60
    final = export_snapshot(graph, domain, tmp_path / "final", since=tmp_path / "s3")
    full = export_snapshot(graph, domain, tmp_path / "full")
    assert final.counts == full.counts
    assert table(tmp_path / "final") == table(tmp_path / "full")
