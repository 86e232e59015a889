"""Sources in an answer: what fails or is slow is named and left out for a moment."""

import time

import pytest

from api.answers.sources import Sources, check_budget
from graphdb.answers.sources import SourceError
from graphdb.domain import Domain, parse_domain
from tests.ruled import FILMS

SLOW = "UNWIND range(1, 40000) AS a UNWIND range(1, 40000) AS b WITH count(*) AS n "


def domain_of(timeout_ms: int = 10_000, **statements: str) -> Domain:
    texts = [
        f'[sources.{name}]\ntimeout_ms = {timeout_ms}\ncypher = "{cypher}"\n'
        for name, cypher in statements.items()
    ]
    return parse_domain(FILMS + "\n".join(texts), "sources.toml")


@pytest.fixture
def sources_of(graph):
    made = []

    def make(**statements) -> Sources:
        made.append(Sources(graph, domain_of(**statements)))
        return made[-1]

    yield make
    for sources in made:
        sources.close()


def test_a_source_is_asked_only_once_it_was_checked(sources_of):
    sources = sources_of(mine="RETURN $person AS id")

    assert sources.find("ann", []) == ({}, ["mine"])
    sources.check()
    found, silent = sources.find("ann", [])

    assert (found, silent) == ({"mine": ["ann"]}, [])


def test_one_that_writes_or_fails_stays_out_and_the_others_answer(sources_of, caplog, graph):
    sources = sources_of(
        writes="CREATE (n:Item {id: 'x'}) RETURN n.id AS id",
        fails="RETURN toString(1 / (size($recent) - 2)) AS id",
        good="UNWIND $recent AS id RETURN id",
    )

    sources.check()
    found, silent = sources.find("ann", ["1", "2"])

    assert (found, silent) == ({"good": ["1", "2"]}, ["writes", "fails"])
    assert "source writes is left out: only reading statements" in caplog.text
    assert graph.read("MATCH (n:Item) RETURN count(n) AS n")[0]["n"] == 0


def test_a_slow_source_is_given_up_in_its_time_and_not_asked_for_a_while(sources_of):
    told = f"{SLOW} WHERE $person = '' OR n > 0 RETURN toString(n) AS id"
    # Nobody is asked for at the check: that one is quick.
    sources = sources_of(
        slow=f"UNWIND CASE $person WHEN '' THEN [] ELSE [1] END AS x {told}", timeout_ms=100
    )
    sources.check()

    began = time.monotonic()
    assert sources.find("ann", []) == ({}, ["slow"])
    first = time.monotonic() - began
    began = time.monotonic()
    assert sources.find("ann", []) == ({}, ["slow"])

    assert first < 3
    assert time.monotonic() - began < 0.05


def test_sources_that_could_use_up_an_answers_patience_are_refused():
    domain = domain_of(700, mine="RETURN $person AS id")

    check_budget(domain, 1.4)
    with pytest.raises(SourceError, match="700 ms together; expected at most 500 ms, half of"):
        check_budget(domain, 1.0)
