"""The chain: the first link names the answer, the next ones fill it, nothing is twice."""

import pytest

from api.fallback import PAGE, allowed, fill, ranked
from api.rankings import Rankings


def links(*given):
    return [(name, lambda rows=rows: iter(rows)) for name, rows in given]


def test_the_first_link_that_gives_anything_names_the_answer_and_the_next_fill_it():
    chain = links(("a", []), ("b", [("1", 9.0), ("2", 8.0)]), ("c", [("2", 5.0), ("3", 4.0)]))

    items, link = fill(chain, 3, {"1"})

    assert link == "b"
    assert [(i.id, i.rank, i.score, i.sources) for i in items] == [
        ("2", 1, 8.0, ["b"]),
        ("3", 2, 4.0, ["c"]),
    ]


def test_a_link_that_is_not_needed_is_not_asked():
    def never():
        pytest.fail("asked")

    items, link = fill([*links(("a", [("1", 1.0)])), ("b", never)], 1, ())

    assert ([item.id for item in items], link) == (["1"], "a")


def test_a_chain_that_gives_nothing_is_named_by_its_end():
    assert fill(links(("a", []), ("b", [("1", 1.0)])), 2, {"1"}) == ([], "b")


def test_a_long_list_is_held_against_what_may_be_shown_by_the_page():
    rows = [(str(n), 0.0) for n in range(2 * PAGE + 5)]
    asked = []

    def odd(ids: list[str]) -> set[str]:
        asked.append(len(ids))
        return {id for id in ids if int(id) % 2}

    assert [id for id, _ in allowed(rows, odd)] == [id for id, _ in rows if int(id) % 2]
    assert asked == [PAGE, PAGE, 5]


def test_what_trends_comes_before_what_is_popular(domain, tmp_path):
    rankings = Rankings(domain, tmp_path / "rankings.json")
    rankings._lists = {"trending": [("t", 2.0)], "popular": [("t", 9.0), ("p", 8.0)]}

    items, link = fill(ranked(rankings, None, set), 5, ())

    assert ([(i.id, i.sources) for i in items], link) == (
        [("t", ["trending"]), ("p", ["popular"])],
        "trending",
    )
