"""Answers under the rules of a domain: every list obeys and says which rules acted."""

import socket
from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np
import pytest
import scipy.sparse as sp

from api.answers.answer import Answer, Query
from api.answers.candidates import LOOKED_AT
from api.answers.recommender import Recommender
from api.loop.publication import publish
from api.serving.breaker import GraphBreaker
from api.serving.serving import Serving
from graphdb.answers.served import save_served
from graphdb.catalogue.catalogue import save_items
from graphdb.catalogue.relations import save_relations
from graphdb.connection import SERVING, Graph
from graphdb.domain import parse_domain
from graphdb.events.event_row import micros
from graphdb.events.events import save_events
from ingest.stream.served import ServedLists
from ingest.stream.stream import EventStream
from tests.api.versions import build_artifact
from tests.graphdb.answers.test_served import served_row
from tests.rows import event_row, item_row
from tests.ruled import FILMS, RULED, TEXT
from training.reranking import Dials
from training.scorer import Scorer


@pytest.fixture
def published(graph, artifacts):
    """Forty films of four genres, a version of them, and ann, who has rated "0" since."""
    genres = ["Drama", "Comedy", "War", "Noir"]
    save_items(
        graph,
        RULED,
        [
            item_row(str(n), genres=[genres[n % 4]], tags=["sponsored"] if n in (1, 2) else [])
            for n in range(40)
        ],
    )
    save_events(graph, RULED, "api", [event_row(f"p{n}", str(n)) for n in range(5)])
    artifact = build_artifact(graph, artifacts / "v1")
    publish(graph, artifacts / "v1")
    save_events(graph, RULED, "api", [event_row("ann", "0", at=datetime.now(UTC))])
    return artifact


@pytest.fixture
def ask(graph, artifacts):
    """Answers under a domain's rules."""
    made = []

    def ask(query: Query, text: str = TEXT):
        serving = Serving(graph, artifacts, GraphBreaker(deadline=30))
        recommender = Recommender(serving, parse_domain(text, "ruled.toml"))
        made.append(recommender)
        recommender.warm()
        return recommender.recommend(query)

    yield ask
    for recommender in made:
        recommender.close()


@pytest.fixture
def asking(published, ask):
    """Answers about the forty films."""
    return ask


def block(graph, *items: str) -> None:
    rows = [{"type": "blocks", "start": "ann", "end": item, "weight": None} for item in items]
    save_relations(graph, RULED, rows)


def test_a_personal_list_obeys_every_rule_and_says_which_acted(graph, asking):
    free = asking(Query("ann", k=3), TEXT.split("[rules.")[0])
    block(graph, free.items[0].id)

    answer = asking(Query("ann", k=8, fields=True))

    ids = [item.id for item in answer.items]
    assert len(ids) == 8
    assert free.items[0].id not in ids
    assert max(sum(int(i) % 4 == genre for i in ids) for genre in range(4)) == 2
    assert [item.rank for item in answer.items if item.rule == "sponsored"] == [2]
    assert ids[1] in ("1", "2")
    assert answer.rules["blocked"] == answer.rules["sponsored"] == 1
    assert (free.rules, answer.degraded, answer.fallback) == ({}, [], None)


@pytest.mark.parametrize("person", ["ann", "nobody"])
def test_pages_together_obey_as_one_list_does(asking, person):
    def page(k: int, *before: str) -> Answer:
        shown = frozenset(before)
        return asking(Query(person, k=k, exclude_ids=shown, before=before))

    whole = page(8)
    first = page(3)
    shown = [item.id for item in first.items]
    second = page(5, *shown)
    third = page(5, *shown, *(item.id for item in second.items))

    assert [(i.id, i.rule) for i in [*first.items, *second.items]] == [
        (i.id, i.rule) for i in whole.items
    ]
    assert (len(whole.items), third.items) == (8, [])
    assert third.rules["variety"] > 20


@pytest.mark.parametrize("person", ["ann", "nobody"])
def test_a_rule_that_excludes_everything_leaves_nothing_and_is_named(asking, person):
    text = TEXT + '[rules.everything]\nnever = "(item)"\n'

    answer = asking(Query(person, k=5), text)

    assert (answer.items, answer.rules["everything"] >= 39) == ([], True)
    assert answer.empty is not None
    assert "everything" in answer.empty


def test_groups_that_are_full_leave_a_list_short_and_say_so(asking):
    for person in ("ann", "nobody"):
        answer = asking(Query(person, k=20), TEXT.replace("at_most = 2", "at_most = 1"))

        assert len(answer.items) == 4
        assert answer.rules["variety"] >= 30
        assert answer.empty is None


@pytest.fixture
def crowded(graph, artifacts) -> list[str]:
    """Thousands of films by how near they are to the one that ann has rated. The thousand nearest
    are dramas, each other one has a genre to itself; all have one tag."""
    rng = np.random.default_rng(5)
    vectors = rng.normal(size=(2_600, 6)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    nearest = [f"{n:04d}" for n in np.argsort(-(vectors @ vectors[0]), kind="stable")]
    genres = dict.fromkeys(nearest, "Drama") | {film: film for film in nearest[1001:]}
    save_items(
        graph, RULED, [item_row(n, genres=[genres[n]], tags=["film"]) for n in sorted(nearest)]
    )
    save_events(graph, RULED, "api", [event_row("p0", nearest[0])])
    nothing = sp.csr_matrix((2_600, 2_600), dtype=np.float32)
    build_artifact(
        graph,
        artifacts / "v1",
        residuals=None,
        scorer=Scorer(vectors, vectors, nothing, blend=0.0),
    )
    publish(graph, artifacts / "v1")
    save_events(graph, RULED, "api", [event_row("ann", nearest[0], at=datetime.now(UTC))])
    return nearest[1:]


def test_rules_look_further_than_what_is_near_and_no_further_than_their_bound(
    graph, crowded, ask, monkeypatch
):
    variety = '[rules.variety]\nat_most = 2\nper = "(item)-[:HAS_GENRE]->(group)"\n'
    alike = '[rules.alike]\nat_most = 2\nper = "(item)-[:HAS_TAG]->(group)"\n'
    asked, read = [], graph.read
    monkeypatch.setattr(graph, "read", lambda *a, **named: asked.append(named) or read(*a, **named))

    filled = ask(Query("ann", k=10), FILMS + variety)
    asked.clear()
    short = ask(Query("ann", k=500, dials=Dials(diversity=0.5)), FILMS + alike)

    assert [item.id for item in filled.items] == [*crowded[:2], *crowded[1000:1008]]
    assert 900 < filled.rules["variety"] <= 998
    assert (len(short.items), short.degraded, short.empty) == (2, [], None)
    assert list(short.rules) == ["alike"]
    searches = [named["k"] for named in asked if named.get("k", 0) > 1]
    assert len(searches) == 2
    assert max(searches) <= LOOKED_AT + 501
    grouped = [len(named["ids"]) for named in asked if {"ids", "values"} <= set(named)]
    assert 500 < max(grouped) <= LOOKED_AT + 500


def test_a_strangers_list_obeys_too(graph, asking, published):
    answer = asking(Query("nobody", k=3))

    assert answer.fallback == "popular"
    assert answer.items[1].rule == "sponsored"
    assert [item.rank for item in answer.items] == [1, 2, 3]


def test_without_the_files_what_was_published_obeys(graph, asking, artifacts):
    block(graph, "7", "8")
    (artifacts / "v1" / "model.json").unlink(missing_ok=True)
    for file in (artifacts / "v1").iterdir():
        file.unlink()

    answer = asking(Query("ann", k=40))

    assert "artifact" in answer.degraded
    assert not {"7", "8"} & {item.id for item in answer.items}
    assert answer.items[1].rule == "sponsored"


def test_a_source_brings_candidates_that_count_by_its_factor(graph, asking):
    save_relations(graph, RULED, [{"type": "sequel_of", "start": "9", "end": "0", "weight": None}])
    plain = TEXT.split("[rules.")[0]
    sourced = plain + "[sources" + TEXT.split("[sources", 1)[1]
    before = {item.id: item for item in asking(Query("ann", k=39), plain).items}["9"]

    answer = asking(Query("ann", k=39, reasons=2), sourced)

    (found,) = [item for item in answer.items if "sequels" in item.sources]
    assert (found.id, found.boost) == ("9", 10)
    assert found.score == pytest.approx(
        before.score * 10 if before.score > 0 else before.score / 10, rel=1e-4
    )
    assert sum(r.contribution for r in found.reasons) == pytest.approx(found.score, abs=1e-6)


@pytest.mark.faults
def test_without_the_vector_index_rules_place_and_sources_bring_nothing_hidden(graph, asking):
    rows = [{"type": "sequel_of", "start": i, "end": "0", "weight": None} for i in ("8", "9")]
    save_relations(graph, RULED, rows)
    save_items(
        graph,
        RULED,
        [item_row("1", hidden=True, tags=["sponsored"]), item_row("9", hidden=True)],
    )
    graph.define("DROP INDEX item_vector_a")

    answer = asking(Query("ann", k=8))

    assert answer.degraded == ["index"]
    assert not {"1", "9"} & {item.id for item in answer.items}
    assert [(i.id, i.rule) for i in answer.items if i.rule] == [("2", "sponsored")]
    assert [i.id for i in answer.items if "sequels" in i.sources] == ["8"]


def test_a_source_that_cannot_be_asked_is_named_and_the_list_is_the_persons_own(asking):
    broken = TEXT.split("[rules.")[0] + '[sources.broken]\ncypher = "RETURN 1 AS x"\n'

    answer = asking(Query("ann", k=5), broken)

    assert (len(answer.items), answer.degraded, answer.fallback) == (5, ["broken"], None)


@pytest.fixture
def silent() -> Iterator[str]:
    """A Redis that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.faults
@pytest.mark.parametrize("down", [False, True])
def test_while_redis_does_not_answer_a_cap_goes_by_the_graph_and_is_named(
    graph, artifacts, published, silent, down
):
    lists = [served_row(id, "ann", ["3"], at=micros(datetime.now(UTC))) for id in ("a", "b")]
    save_served(graph, lists)
    serving = Serving(graph, artifacts, GraphBreaker(deadline=30))
    stream = EventStream("redis://127.0.0.1:9" if down else silent)
    recommender = Recommender(serving, RULED, ServedLists(stream))
    recommender.warm()

    known, stranger = (recommender.recommend(Query(person, k=5)) for person in ("ann", "nobody"))

    assert (known.degraded, known.fallback, len(known.items)) == (["tired"], None, 5)
    assert known.rules["tired"] == 1
    assert (stranger.degraded, len(stranger.items)) == ([], 5)
    assert not serving.breaker.is_open
    recommender.close()
    stream.close()


def test_from_memory_rules_are_not_known_and_the_answer_says_so(graph, artifacts, published):
    serving = Serving(graph, artifacts, GraphBreaker(deadline=30))
    serving.refresh()
    with Graph("bolt://127.0.0.1:9", "nobody listens", patience=SERVING) as nowhere:
        alone = Serving(nowhere, artifacts, GraphBreaker(deadline=30))
        alone.version = serving.version
        recommender = Recommender(alone, RULED)

        for person in ("ann", "p1"):
            answer = recommender.recommend(Query(person, k=5))
            assert (len(answer.items), answer.degraded) == (5, ["graph", "rules"])
        recommender.close()
        alone.breaker.close()
