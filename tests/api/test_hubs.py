"""An item that everybody has touched: what is asked beside it and of it stays as quick, and it is
hidden, counted and taken out within what a transaction may hold."""

import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TypeVar

import pytest

from api.answers.answer import Query
from api.answers.similar import similar
from api.reasons.explanation import explain
from graphdb.answers.rankings import list_trending
from graphdb.answers.retrieval import list_popular
from graphdb.audit.audit import audit
from graphdb.catalogue.catalogue import patch_item
from graphdb.catalogue.removal import PAGE, delete_item
from graphdb.events.events import save_events
from tests.graphdb.catalogue.test_removal import COUNTED, THERE, counts
from tests.rows import NOON, event_row

T = TypeVar("T")

pytestmark = pytest.mark.faults

HUB, PEOPLE, STEP = "3", 2000, 10_000
FEW, MANY = 20_000, 1_000_000
"""Events on the hub: usually, and with --whole."""
SAVE_CROWD = """
MERGE (s:Source {id: 'crowd'})
SET s.events = $people, s.offset = $people - 1
WITH s
MATCH (i:Item {id: '0'})
UNWIND range(1, $people) AS n
CREATE (:User {id: 'crowd' + n, key: 'crowd' + n})-[:RATED {
  event_id: 'first' + n, at: $at - duration({hours: n}), received_at: $at, source: 'crowd',
  seq: n - 1, digest: ''
}]->(i)
"""
GROW = """
MATCH (s:Source {id: 'crowd'}), (i:Item {id: $hub})
SET s.events = s.events + $step, s.offset = s.offset + $step
WITH i
UNWIND range($start, $start + $step - 1) AS n
MATCH (u:User {id: 'crowd' + (1 + n % $people)})
CREATE (u)-[:RATED {event_id: 'hub' + n, at: $at, received_at: $at, source: 'crowd', seq: n,
                    digest: ''}]->(i)
"""
WHO_CHOSE = "MATCH (u:User)-[:RATED]->(:Item {id: $hub}) RETURN min(u.id) AS id"
COUNT_OTHERS = "MATCH (:User)-[r:RATED]->(i:Item) WHERE i.id <> $hub RETURN count(r) AS n"


def seconds(work: Callable[[int], object], n: int = 0) -> float:
    begun = time.monotonic()
    work(n)
    return time.monotonic() - begun


def slow(work: Callable[[int], object], times: int = 30) -> tuple[float, float]:
    """Median and all but the worst of seconds: one may have to be planned anew."""
    took = sorted(seconds(work, n) for n in range(times))
    return took[times // 2], took[-2]


def timed(took: list[float], work: Callable[..., T]) -> Callable[..., T]:
    """The same, and how long each call took goes into `took`."""

    def call(*arguments: object) -> T:
        begun = time.monotonic()
        done = work(*arguments)
        took.append(time.monotonic() - begun)
        return done

    return call


def test_a_hub_holds_nothing_up(graph, domain, world, serving, recommender, request, monkeypatch):
    events = MANY if request.config.getoption("--whole") else FEW
    turn = iter(range(1_000_000))
    person = graph.read(WHO_CHOSE, hub=HUB)[0]["id"]

    def write(_: int) -> None:
        rows = [
            event_row(f"u{n}", HUB, -10 * next(turn), event_id=f"{next(turn)}") for n in range(100)
        ]
        assert save_events(graph, domain, "api", rows).accepted == 100

    def ask(n: int) -> set[str]:
        answer = recommender.recommend(Query(f"p{n % 12}" if n % 5 else "a stranger", k=10))
        assert len(answer.items) == 10
        return {item.id for item in answer.items}

    def alike(_: int) -> list[str]:
        return [item.id for item in similar(serving, domain, HUB, 5, frozenset()).items]

    def why(_: int) -> None:
        told = explain(serving, recommender, domain, person, "5", [], 3, {"knowledge"})
        assert told.as_it_is.reasons

    def hide(n: int) -> None:
        patch_item(graph, domain, {"id": HUB, "fields": {}, "hidden": n % 2 == 0})

    works = (write, ask, alike, why, hide)
    for work in works:
        slow(work, 5)
    hide(1)
    neighbours = alike(0)
    before = {work: slow(work) for work in works}
    graph.write(SAVE_CROWD, people=PEOPLE, at=NOON - timedelta(days=30))
    at = NOON + timedelta(days=1)
    for start in range(0, events, STEP):
        graph.write(GROW, hub=HUB, start=start, step=STEP, people=PEOPLE, at=at)
    for work in works:
        slow(work, 5)

    for work, (median, worst) in before.items():
        after = slow(work)
        print(f"{work.__name__} beside {events} events: {median:.4f} then {after[0]:.4f} s")
        assert after[0] < 3 * median + 0.05
        assert after[1] < 5 * worst + 0.5
    assert alike(0) == neighbours

    since = NOON - timedelta(days=9)
    monkeypatch.setattr("graphdb.answers.rankings.NEWEST", FEW)
    ranked = seconds(lambda _: list_popular(graph, domain, 2))
    trended = seconds(lambda _: list_trending(graph, domain, since, 2))
    assert list_popular(graph, domain, 2)[0]["events"] >= events
    assert list_trending(graph, domain, since, 1) == [{"id": HUB, "score": PEOPLE}]
    begun = time.monotonic()
    findings = audit(graph, domain)
    print(f"popular {ranked:.2f}, trending {trended:.2f}, audit {time.monotonic() - begun:.2f} s")
    print({finding.check.name: round(finding.seconds, 1) for finding in findings})
    assert [finding.check.name for finding in findings if not finding.passed] == []
    assert ranked < 3
    assert trended < 10

    others = graph.read(COUNT_OTHERS, hub=HUB)
    pages: list[float] = []
    asked: list[float] = []
    timed_ask = timed(asked, ask)
    with monkeypatch.context() as patch, ThreadPoolExecutor(1) as pool:
        patch.setattr(graph, "transaction", timed(pages, graph.transaction))
        removal = pool.submit(delete_item, graph, HUB)
        while not removal.done():
            begun = bool(pages)
            shown = timed_ask(len(asked))
            assert not (begun and HUB in shown)
            time.sleep(0.1)
        assert removal.result()

    first, last = statistics.median(pages[:20]), statistics.median(pages[-21:-1])
    print(f"removed in {sum(pages):.1f} s, a page in {first:.3f}, the last in {last:.3f} s")
    assert len(pages) > events / PAGE
    assert first < 3 * last + 0.05
    assert statistics.median(asked) < 5 * before[ask][0] + 0.5
    assert graph.read(COUNT_OTHERS, hub=HUB) == others
    assert counts(graph, COUNTED) == counts(graph, THERE)
