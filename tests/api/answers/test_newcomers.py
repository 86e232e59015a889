"""Items newer than the version: a filtered list is never short for want of them."""

from dataclasses import replace

import pytest

from api.answers.answer import Answer, Query
from api.answers.recommender import Recommender
from graphdb.catalogue.catalogue import save_items
from graphdb.catalogue.relations import save_relations
from graphdb.domain import parse_domain
from graphdb.events.events import save_events
from graphdb.filters import Condition
from tests.rows import event_row, item_row
from tests.ruled import FILMS
from training.reranking import Dials

WESTERN = Condition("genres", "in", ("Western",))
KNOWN = [str(n) for n in range(0, 40, 8)]
NEWEST = [f"new{n}" for n in reversed(range(20))]


def ids(answer: Answer) -> list[str]:
    return [item.id for item in answer.items]


@pytest.fixture
def westerns(graph, domain, world) -> None:
    """Twenty items that came after the version; nobody has chosen any."""
    for item in reversed(NEWEST):
        save_items(graph, domain, [item_row(item, genres=["Western"], title=f"Film {item}")])
    hidden = item_row("hidden", hidden=True, genres=["Western"])
    save_items(graph, domain, [hidden, item_row("other", genres=["War"])])


def test_a_filter_that_only_new_items_pass_gives_as_many_as_are_asked_for(westerns, recommender):
    for person, fallback in (("p1", None), ("nobody", "latest")):
        answer = recommender.recommend(Query(person, k=10, filter=WESTERN, fields=True, reasons=2))

        assert (ids(answer), answer.fallback) == (NEWEST[:10], fallback)
        assert [item.rank for item in answer.items] == [*range(1, 11)]
        told = [(item.score, item.sources, item.reasons) for item in answer.items]
        assert told == [(None, ["latest"], [])] * 10
        assert answer.items[0].item == {"title": "Film new19"}
        assert (answer.empty, answer.degraded, answer.model_version) == (None, [], "v1")


def test_they_come_behind_all_that_has_a_score_and_only_into_a_short_list(
    graph, domain, westerns, recommender
):
    rows = [item_row(id, genres=["Western"], title=f"Film {id}") for id in KNOWN]
    save_items(graph, domain, rows)
    for person in ("p1", "nobody"):
        asked = Query(person, k=10, filter=WESTERN, exclude_seen=False)
        scored = recommender.recommend(replace(asked, k=2))

        answer = recommender.recommend(asked)

        assert set(ids(scored)) < set(KNOWN)
        assert ids(answer)[:2] == ids(scored)
        assert set(ids(answer)[:5]) == set(KNOWN)
        assert ids(answer)[5:] == NEWEST[:5]
        assert answer.fallback == scored.fallback


def test_seen_and_excluded_ones_are_never_among_them(graph, domain, westerns, recommender):
    for person in ("p1", "late"):
        save_events(graph, domain, "api", [event_row(person, "new19")])
        asked = Query(person, k=30, filter=WESTERN, exclude_ids=frozenset({"new18"}))

        unseen = recommender.recommend(asked)
        every = recommender.recommend(Query(person, k=30, filter=WESTERN, exclude_seen=False))

        assert ids(unseen) == NEWEST[2:]
        assert ids(every) == NEWEST


RULES = parse_domain(
    FILMS
    + """
[relations.blocks]
relationship = "BLOCKS"
from = "user"
to = "item"
negative = true

[rules.blocked]
never = "(person)-[:BLOCKS]->(item)"

[rules.variety]
at_most = 3
per = "(item)-[:HAS_GENRE]->(group)"
""",
    "ruled.toml",
)


def test_rules_hold_for_them_and_say_so(graph, westerns, serving):
    save_items(graph, RULES, [item_row(id, genres=["Western"]) for id in KNOWN[:2]])
    for person in ("p1", "nobody"):
        blocked = {"type": "blocks", "start": person, "end": "new19", "weight": None}
        save_relations(graph, RULES, [blocked])

        answer = Recommender(serving, RULES).recommend(
            Query(person, k=5, filter=WESTERN, exclude_seen=False)
        )

        assert set(ids(answer)[:2]) == set(KNOWN[:2])
        assert ids(answer)[2:] == ["new18"]
        assert answer.rules == {"blocked": 1, "variety": 18}


def test_what_is_to_be_relevant_is_not_made_up_for(westerns, recommender):
    asked = Query("p1", k=5, filter=WESTERN, dials=Dials(min_relevance=0.5))

    answer = recommender.recommend(asked)

    assert answer.items == []
    assert answer.empty is not None
    assert answer.empty.endswith("each was seen or excluded, or is too new to be relevant")
