"""An item that everybody has touched: writing on it and answering beside it stay as quick."""

import time
from collections.abc import Callable

import pytest

from api.answers.answer import Query
from graphdb.events import save_events
from tests.rows import event_row

pytestmark = pytest.mark.faults

HUB, PEOPLE, PAGE = "3", 2000, 20_000
FEW, MANY = 100_000, 1_000_000
"""Events on the hub: usually, and with --whole."""
SAVE_CROWD = "UNWIND range(1, $people) AS n MERGE (:User {id: 'crowd' + toString(n)})"
GROW = """
MATCH (i:Item {id: $hub})
UNWIND range($start, $start + $page - 1) AS n
MATCH (u:User {id: 'crowd' + toString(1 + n % $people)})
CREATE (u)-[:RATED {event_id: 'hub' + toString(n), at: $at, received_at: $at, source: 'crowd',
                    seq: n, digest: ''}]->(i)
"""


def slow(work: Callable[[int], object], times: int = 30) -> tuple[float, float]:
    """Median and 97th percentile of seconds."""
    took = []
    for n in range(times):
        begun = time.monotonic()
        work(n)
        took.append(time.monotonic() - begun)
    return sorted(took)[times // 2], sorted(took)[times - 1 - times // 33]


def test_a_hub_slows_neither_writing_nor_answering(graph, domain, world, recommender, request):
    events = MANY if request.config.getoption("--whole") else FEW
    turn = iter(range(1_000_000))

    def write(_: int) -> None:
        rows = [event_row(f"u{n}", HUB, event_id=f"{next(turn)}-{n}") for n in range(100)]
        assert save_events(graph, domain, "api", rows).accepted == 100

    def ask(n: int) -> None:
        answer = recommender.recommend(Query(f"p{n % 12}" if n % 5 else "a stranger", k=10))
        assert len(answer.items) == 10

    slow(write, 5)
    slow(ask, 5)
    before = {work: slow(work) for work in (write, ask)}
    at = graph.read("RETURN datetime('2026-01-02T00:00:00Z') AS at")[0]["at"]
    graph.write(SAVE_CROWD, people=PEOPLE)
    for start in range(0, events, PAGE):
        graph.write(GROW, hub=HUB, start=start, page=PAGE, people=PEOPLE, at=at)
    slow(write, 5)
    slow(ask, 5)

    for work, (median, worst) in before.items():
        after = slow(work)
        print(f"{work.__name__} beside {events} events: {median:.4f} then {after[0]:.4f} s")
        assert after[0] < 3 * median + 0.05
        assert after[1] < 5 * worst + 0.5
