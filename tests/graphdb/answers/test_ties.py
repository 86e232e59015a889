"""What is told beside a score: what items share, how they are related, whom both speak to."""

import pytest

from graphdb.answers.ties import list_ties
from graphdb.catalogue.catalogue import save_items
from graphdb.catalogue.relations import save_relations
from graphdb.domain import parse_domain
from graphdb.events.events import save_events
from graphdb.people.people import join_people
from graphdb.schema import create_schema
from tests.graphdb.profiled import Profiled
from tests.related import RELATED, TEXT
from tests.rows import event_row, item_row

FOLLOWED = 'relations = ["follows"]'
CLOSE = parse_domain(
    TEXT.replace(FOLLOWED, f"{FOLLOWED}\nleast_people = 1\nnames = true"), "close.toml"
)
CROWD = [f"u{n}" for n in range(6)]


@pytest.fixture
def told(graph):
    """`ran` and `ikiru` share a director, a country and a genre; six people rated both, and five of
    them `alien`; ann follows the six."""
    create_schema(graph, RELATED)
    japanese = {"genres": ["Drama"], "countries": ["Japan"], "people": ["Kurosawa", "Mifune"]}
    items = [
        item_row("ran", **japanese),
        item_row("ikiru", **japanese),
        item_row("alien", genres=["Horror"]),
        item_row("aliens", genres=["Action"]),
        item_row("rain", genres=["Drama"], countries=["Japan"]),
        item_row("doubt", genres=["Drama"]),
    ]
    save_items(graph, RELATED, items)
    rows = [event_row(u, item) for u in CROWD for item in ("ran", "ikiru")]
    rows += [event_row(u, "alien") for u in CROWD[:4]]
    rows += [event_row(u, "doubt", event_type="dismissed") for u in CROWD]
    rows.append(event_row("ann", "ran"))
    save_events(graph, RELATED, "api", rows)
    links = [("follows", "ann", u) for u in CROWD] + [("sequel_of", "aliens", "alien")]
    save_relations(
        graph, RELATED, [{"type": t, "start": a, "end": b, "weight": None} for t, a, b in links]
    )
    return graph


def ties_of(graph, pairs=(), items=(), domain=RELATED, user="ann", slot="a", knowledge=True):
    return list_ties(graph, domain, slot, user, pairs, items, knowledge=knowledge)


def test_what_two_items_share_is_told_the_rarest_first_and_no_more_than_three(told):
    ties = ties_of(told, [("ran", "ikiru"), ("ran", "rain"), ("ran", "alien")])

    shared = {pair: [t for t in each if t["kind"] == "shared"] for pair, each in ties.items()}
    assert shared == {
        ("ran", "ikiru"): [
            {"kind": "shared", "by": "people", "id": "Kurosawa", "items": 2},
            {"kind": "shared", "by": "people", "id": "Mifune", "items": 2},
            {"kind": "shared", "by": "countries", "id": "Japan", "items": 3},
        ],
        ("ran", "rain"): [
            {"kind": "shared", "by": "countries", "id": "Japan", "items": 3},
            {"kind": "shared", "by": "genres", "id": "Drama", "items": 4},
        ],
    }


def test_how_two_items_are_related_is_told_with_its_direction(told):
    related = {"kind": "relation", "by": "sequel_of", "from": "aliens", "to": "alien"}

    ties = ties_of(told, [("alien", "aliens"), ("aliens", "alien"), ("ran", "alien")])

    assert ties == {("alien", "aliens"): [related], ("aliens", "alien"): [related]}


def test_how_many_chose_both_is_told_from_the_least_number_on(told):
    pairs = [("ran", "ikiru"), ("ran", "alien"), ("ran", "doubt")]

    few = ties_of(told, pairs)
    close = ties_of(told, pairs, domain=CLOSE)

    both = {"kind": "together", "people": 6, "of": 6}
    assert both in few["ran", "ikiru"]
    assert ("ran", "alien") not in few
    assert close["ran", "alien"] == [{"kind": "together", "people": 4, "of": 6}]
    assert "together" not in {tie["kind"] for tie in close["ran", "doubt"]}


REPEAT = """
MATCH (u:User {id: 'u0'}), (i:Item {id: 'ran'})
UNWIND range(1, 5000) AS n
CREATE (u)-[:RATED {event_id: 'again' + toString(n)}]->(i)
"""


def test_of_what_one_person_repeats_a_part_is_looked_at(told, monkeypatch):
    monkeypatch.setattr("graphdb.answers.ties.CHOICES", 100)
    told.write(REPEAT)
    profiled = Profiled(told)

    ties = ties_of(profiled, [("ran", "ikiru")])

    assert {tie["kind"] for tie in ties["ran", "ikiru"]} == {"shared"}
    assert profiled.hits < 3_000


def test_of_people_who_are_followed_only_numbers_are_told_and_none_of_few(told):
    ties = ties_of(told, items=["ikiru", "alien", "doubt"])

    assert ties == {
        (None, "ikiru"): [{"kind": "social", "by": "follows", "people": 6, "of": 6}],
    }
    assert ties_of(told, items=["ikiru"], user="u1") == {}


def test_people_are_named_where_the_domain_says_so(told):
    ties = ties_of(told, items=["alien"], domain=CLOSE)

    [social] = ties[None, "alien"]
    assert social == {
        "kind": "social",
        "by": "follows",
        "people": 4,
        "of": 6,
        "ids": ["u0", "u1", "u2"],
    }


def test_who_was_joined_to_somebody_is_that_person(told):
    join_people(told, "ann", "anonymous:c0ffee")

    ties = ties_of(told, items=["ikiru"], user="anonymous:c0ffee")

    assert ties == ties_of(told, items=["ikiru"])


def test_nobody_counts_twice_nor_the_one_who_is_told_under_any_of_their_ids(told):
    twice = [event_row("anonymous:u0", i) for i in ("ran", "alien")]
    save_events(told, RELATED, "api", [*twice, event_row("ann", "alien")])
    join_people(told, "u0", "anonymous:u0")
    join_people(told, "ann", "anonymous:ann")
    save_relations(told, RELATED, [follows("ann", "anonymous:u0")])
    asked = {"pairs": [("ran", "alien")], "items": ["alien"], "user": "anonymous:ann"}

    assert ties_of(told, **asked) == {}

    close = ties_of(told, **asked, domain=CLOSE)
    assert close["ran", "alien"] == [{"kind": "together", "people": 4, "of": 6}]
    assert [(tie["people"], tie["of"]) for tie in close[None, "alien"]] == [(4, 6)]
    assert close[None, "alien"][0]["ids"] == ["u0", "u1", "u2"]


def test_what_a_person_chose_under_another_id_they_chose(told):
    save_events(told, RELATED, "api", [event_row("anonymous:u4", "alien")])
    join_people(told, "u4", "anonymous:u4")

    ties = ties_of(told, [("ran", "alien")], ["alien"])

    assert ties["ran", "alien"] == [{"kind": "together", "people": 5, "of": 6}]
    assert [tie["people"] for tie in ties[None, "alien"]] == [5]


def follows(start: str, end: str) -> dict:
    return {"type": "follows", "start": start, "end": end, "weight": None}


def test_weights_are_those_of_the_slot(told):
    ends = "MATCH (i:Item {id: 'ran'}), (j:Item {id: 'alien'})"
    told.write(f"{ends} CREATE (i)-[:SIMILAR_B {{weight: 0.5}}]->(j)")
    pairs = [("ran", "alien"), ("alien", "ran")]

    assert ties_of(told, pairs, slot="b", knowledge=False) == {
        ("ran", "alien"): [{"kind": "similar", "weight": 0.5}]
    }
    assert ties_of(told, pairs, knowledge=False) == {}
