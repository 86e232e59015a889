"""The snapshot of a graph: a clean cut, people under keys, proven complete."""

import threading

import pyarrow.compute as pc
import pytest

from graphdb.catalogue import list_unencoded, save_items, save_text_vectors, save_users
from graphdb.events import save_events
from graphdb.export import ExportError, export_snapshot, fetch_cut
from graphdb.snapshot import read_snapshot
from tests.rows import event_row, item_row


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

    with pytest.raises(ExportError, match="2 events were counted up to .*, 1 were read"):
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
