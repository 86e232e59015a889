"""Lists that are kept: an id for whoever was answered, pages that go on, and what happens without
Redis."""

import pytest
from pydantic import SecretStr

from api.answers.answer import Answer, Query, Recommended
from api.answers.served import MOST_SHOWN, Before, Served, fetch_list, gone_on, keep, shown_before
from api.problems import InvalidError
from api.settings import Settings
from api.state import open_state
from graphdb.connection import Neo4jSettings
from graphdb.errors import GraphUnavailableError
from graphdb.local.processes import wait_until


@pytest.fixture
def state_on(graph, neo4j_address, tmp_path):
    """The state of a process with this Redis, on the run's graph or another."""
    address = neo4j_address

    def opened(redis: str, uri: str = address.uri):
        password = SecretStr(address.password)
        neo4j = Neo4jSettings(uri=uri, user=address.user, password=password)
        settings = Settings(
            home=tmp_path, redis_url=SecretStr(redis), graph_patience_s=30, domain="films"
        )
        return open_state(settings, neo4j)

    return opened


def answer_of(*ids: str) -> Answer:
    items = [Recommended(id, n, 0.5, ["vector", "similar"]) for n, id in enumerate(ids, 1)]
    return Answer("v1", None, items)


def test_each_page_knows_those_before_it_and_the_last_one_has_no_next(state_on, empty_stream):
    query = Query("ann", k=2)
    with state_on(empty_stream) as state:
        first, told = keep(state, query, answer_of("1", "2"), Before(), "home", {"b": 1, "a": 2})
        before = shown_before(state, told.next_cursor, "body.cursor")
        page = gone_on(answer_of("3"), before)
        _, last = keep(state, query, page, before, None, None)
        kept = [fetch_list(state, served.id or "") for served in (told, last)]

    assert first == answer_of("1", "2")
    assert told.id == told.next_cursor
    assert before == Before(("1", "2"), 2)
    assert [item.rank for item in page.items] == [3]
    assert last == Served(last.id, None)
    rows = [row for row in kept if row]
    assert [row["items"] for row in rows] == [["1", "2"], ["3"]]
    assert [(row["first_rank"], row["before"]) for row in rows] == [(1, []), (3, ["1", "2"])]
    assert rows[0]["sources"] == ["vector+similar"] * 2
    assert (rows[0]["scenario"], rows[0]["context"]) == ("home", '{"a":2,"b":1}')


def test_of_what_was_shown_a_page_knows_which_its_own_list_had(state_on, empty_stream):
    query = Query("ann", k=2)
    with state_on(empty_stream) as state:
        beside = Before().beside(["8", "9"])
        _, told = keep(state, query, answer_of("1", "2"), beside, None, None)
        second = shown_before(state, told.next_cursor, "body.cursor").beside(["7", "1"])
        page = gone_on(answer_of("3", "4"), second)
        _, told = keep(state, query, page, second, None, None)
        third = shown_before(state, told.next_cursor, "body.cursor")

    assert (second.own, third.own) == (("1", "2"), ("1", "2", "3", "4"))
    assert third == Before(("1", "2", "3", "4", "8", "9", "7"), 4)
    assert [item.rank for item in page.items] == [3, 4]


def test_a_list_ends_where_it_is_longest_and_a_cursor_of_no_list_is_refused(state_on, empty_stream):
    with state_on(empty_stream) as state:
        before = Before(tuple(str(n) for n in range(MOST_SHOWN - 2)), 5)
        _, served = keep(state, Query("ann", k=2), answer_of("a", "b"), before, None, None)
        with pytest.raises(InvalidError) as refused:
            shown_before(state, "nothing", "body.cursor")

    assert served.id
    assert served.next_cursor is None
    assert refused.value.errors[0]["field"] == "body.cursor"


def test_a_page_that_redis_has_goes_on_without_the_graph_and_says_nothing_of_it(
    state_on, empty_stream
):
    with state_on(empty_stream, "bolt://127.0.0.1:9") as state:
        _, served = keep(state, Query("ann", k=1), answer_of("1"), Before(), None, None)
        assert wait_until(lambda: state.breaker.is_open, 10)

        before = shown_before(state, served.next_cursor, "body.cursor")

        assert (before.items, state.breaker.is_open) == (("1",), True)
        with pytest.raises(GraphUnavailableError):
            shown_before(state, "in the graph alone", "body.cursor")


def test_without_redis_there_is_an_answer_and_no_id(state_on):
    with state_on("redis://127.0.0.1:9") as state:
        answer, served = keep(state, Query("ann", k=1), answer_of("1"), Before(), None, None)

    assert (served, answer.degraded) == (Served(None, None), ["served"])
    assert [item.id for item in answer.items] == ["1"]
