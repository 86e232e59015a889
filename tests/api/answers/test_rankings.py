"""Rankings in memory: read when it is time, kept for a start without the graph."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from api.answers.answer import Query
from api.answers.rankings import WINDOW, Rankings
from api.answers.recommender import Recommender
from api.serving.breaker import GraphBreaker
from api.serving.serving import Serving
from graphdb.catalogue.catalogue import save_items
from graphdb.connection import SERVING, Graph
from graphdb.domain import parse_domain
from graphdb.events.events import save_events
from tests.rows import event_row, item_row
from tests.ruled import FILMS


@pytest.fixture
def rankings(domain, tmp_path) -> Rankings:
    return Rankings(domain, tmp_path / "rankings.json")


def test_they_are_read_when_it_is_time_and_kept_for_the_next_process(
    graph, domain, rankings, tmp_path, monkeypatch
):
    now = datetime.now(UTC)
    old = [event_row(u, "old", event_id=f"{u}o", at=now - 2 * WINDOW) for u in "abc"]
    new = [event_row(u, "new", event_id=f"{u}n", at=now - timedelta(hours=1)) for u in "ab"]
    save_events(graph, domain, "api", old + new)
    assert rankings.of("popular") == []

    rankings.renew(graph)
    assert rankings.of("popular") == [("old", 3.0), ("new", 2.0)]
    assert rankings.of("trending") == [("new", 2.0)]
    assert {item for item, _ in rankings.of("latest")} == {"old", "new"}

    save_events(graph, domain, "api", [event_row("d", "new", event_id="dn", at=now)])
    rankings.renew(graph)
    assert rankings.of("trending") == [("new", 2.0)]
    later = Rankings(domain, tmp_path / "rankings.json")
    assert later.of("trending") == [("new", 2.0)]
    assert later.as_of == rankings.as_of

    monkeypatch.setattr(rankings, "_due", 0.0)
    rankings.renew(graph)
    assert rankings.of("trending") == [("new", 3.0)]


@pytest.mark.parametrize("text", ["", "{", json.dumps({"lists": {}})])
def test_a_torn_file_is_no_ranking(rankings, tmp_path, text):
    (tmp_path / "rankings.json").write_text(text)

    assert rankings.of("popular") == []


FIRST = {"much": "popular", "now": "trending", "came": "latest", "new": "year desc"}
"""Rankings by order; each has the item of its name first."""
DRAMAS = FILMS + "".join(
    f"""
[rankings.{name}]
filter = 'genres has "Drama"'
order = "{order}"
"""
    for name, order in FIRST.items()
)


def test_rankings_of_the_domain_s_own_are_read_kept_and_forgotten_when_they_mean_something_else(
    graph, domain, tmp_path
):
    now = datetime.now(UTC)
    years = {"much": 1950, "now": 1960, "new": 2020, "came": 1970}
    rows = [item_row(id, genres=["Drama"], year=year) for id, year in years.items()]
    for row in [*rows, item_row("war", genres=["War"], year=2021)]:
        save_items(graph, domain, [row])
    old = [event_row(u, i, at=now - 2 * WINDOW) for i in ("much", "war") for u in "abc"]
    new = [event_row(u, i, at=now - timedelta(hours=1)) for i in ("now", "war") for u in "de"]
    save_events(graph, domain, "api", old + new)
    path = tmp_path / "rankings.json"
    rankings = Rankings(parse_domain(DRAMAS, "dramas.toml"), path)

    rankings.renew(graph)

    assert rankings.names == ["trending", "popular", "latest", "classics", *FIRST]
    lists = {name: rankings.of(name) for name in FIRST}
    assert [found[0][0] for found in lists.values()] == [*FIRST]
    assert not any("war" in dict(found) for found in lists.values())
    assert rankings.of("popular")[0] == ("war", 5.0)
    assert lists["new"] == [("new", 2020.0), ("came", 1970.0), ("now", 1960.0), ("much", 1950.0)]
    again = Rankings(parse_domain(DRAMAS, "dramas.toml"), path)
    assert {name: again.of(name) for name in FIRST} == lists
    other = Rankings(parse_domain(DRAMAS.replace("year desc", "year asc"), "dramas.toml"), path)
    assert (other.of("new"), other.of("came")) == ([], lists["came"])


def test_without_the_graph_a_ranking_of_the_domain_s_own_is_served_as_it_was_read(
    graph, domain, serving, artifacts
):
    rows = [item_row(str(year), year=year) for year in (1931, 1979, 1980)]
    save_items(graph, domain, rows)
    Recommender(serving, domain).rankings.renew(graph)

    with Graph("bolt://127.0.0.1:9", "nobody listens", patience=SERVING) as nowhere:
        alone = Serving(nowhere, artifacts, GraphBreaker(deadline=30))
        asked = Query("", k=5, exclude_ids=frozenset({"1931"}))
        answer = Recommender(alone, domain).ranking("classics", asked)
        alone.breaker.close()

    assert [(item.id, item.sources) for item in answer.items] == [("1979", ["classics"])]
    assert (answer.degraded, answer.fallback) == (["graph"], None)
    assert answer.as_of is not None
