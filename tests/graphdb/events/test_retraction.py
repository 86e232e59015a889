"""An event taken back: gone, counted out, and not to come back, whoever writes it meanwhile."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from graphdb.events.events import save_events
from graphdb.events.retraction import retract_event
from graphdb.export.export import export_snapshot
from tests.rows import event_row

pytestmark = pytest.mark.faults

EVENTS = "MATCH (:User)-[r:RATED|WATCHED]->() RETURN r.event_id AS id ORDER BY id"
SOURCE = "MATCH (s:Source) RETURN s.events AS events, s.removed AS removed, s.dropped AS dropped"
ANN = "MATCH (u:User {id: 'ann'}) RETURN u.recent_items AS items, u.recent_events AS events"


def ids(graph):
    return [row["id"] for row in graph.read(EVENTS)]


def test_a_retracted_event_is_gone_for_good(graph, domain, tmp_path):
    rows = [event_row("ann", "1"), event_row("ann", "2")]
    save_events(graph, domain, "api", rows)

    assert retract_event(graph, domain, "rated", "ann-1")
    assert not retract_event(graph, domain, "rated", "ann-1")
    again = save_events(graph, domain, "api", rows)

    assert ids(graph) == ["ann-2"]
    assert (again.accepted, again.dropped, again.duplicates) == (0, [0], [1])
    [ann] = graph.read(ANN)
    assert (ann["items"], [event.split()[-1] for event in ann["events"]]) == (["2"], ["1"])
    assert export_snapshot(graph, domain, tmp_path / "s").counts["events"] == 1


def test_an_event_that_comes_after_its_retraction_is_dropped_and_counted(graph, domain):
    assert not retract_event(graph, domain, "rated", "ann-1")

    report = save_events(graph, domain, "api", [event_row("ann", "1"), event_row("ann", "2")])

    assert (report.accepted, report.dropped) == (1, [0])
    assert graph.read(SOURCE) == [{"events": 1, "removed": None, "dropped": 1}]


def test_the_same_id_of_another_type_stays(graph, domain):
    rows = [event_row("ann", "1"), event_row("ann", "1", event_type="watched")]
    save_events(graph, domain, "api", rows)

    retract_event(graph, domain, "rated", "ann-1")

    assert graph.read("MATCH ()-[r:WATCHED]->() RETURN count(r) AS n") == [{"n": 1}]


def test_a_type_that_the_domain_does_not_have(graph, domain):
    with pytest.raises(KeyError):
        retract_event(graph, domain, "liked", "1")


def test_retracting_while_the_same_events_are_written(graph, domain):
    seed = 7
    print("seed", seed)
    rng = random.Random(seed)
    rows = [event_row(f"u{n % 10}", f"i{n % 7}", n, event_id=str(n)) for n in range(300)]
    gone = rng.sample(range(300), 60)
    writes = [("write", rows[start : start + 25]) for start in range(0, 300, 25)] * 2
    work = [*writes, *(("retract", str(n)) for n in gone)]
    rng.shuffle(work)

    def do(task):
        kind, what = task
        if kind == "write":
            return save_events(graph, domain, "api", what)
        return retract_event(graph, domain, "rated", what)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(do, work))

    assert ids(graph) == sorted(str(n) for n in set(range(300)) - set(gone))
    assert graph.read(SOURCE)[0]["events"] == 240
    assert graph.read("MATCH (t:Tombstone) RETURN count(t) AS n") == [{"n": 60}]
