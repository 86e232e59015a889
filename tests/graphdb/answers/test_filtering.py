"""What passes in the graph is what passes in plain Python, for any tree and any items."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graphdb.answers.candidates import candidates_statement
from graphdb.answers.filtering import (
    FIND_PASSING,
    LIST_PASSING,
    compile_filter,
    find_passing,
    list_newest,
    list_passing,
    restricted,
)
from graphdb.catalogue.catalogue import save_items
from graphdb.filters import All, Any, Condition, Filter, Not
from graphdb.schema import create_schema
from tests.filtered import EVERY_KIND, passes
from tests.rows import item_row

WORDS = st.sampled_from(["a", "b", "B", "ä", "é'})", "$x"])
VALUES = {
    "string": WORDS,
    "strings": WORDS,
    "integer": st.integers(-2, 3),
    "float": st.sampled_from([-1.5, 0.0, 1.0, 2.25]),
    "boolean": st.booleans(),
}
FIELDS = {name: spec for name, spec in EVERY_KIND.item.fields.items() if spec.filter}


def values_of(name: str):
    kind = VALUES[FIELDS[name].type]
    if FIELDS[name].type == "strings":
        return st.lists(kind, max_size=3, unique=True)
    return kind


@st.composite
def conditions(draw) -> Condition:
    name = draw(st.sampled_from(sorted(FIELDS)))
    spec = FIELDS[name]
    ordered = spec.type not in ("strings", "boolean") and not spec.node
    operators = ["in", "present", *(["<", "<=", ">", ">="] if ordered else [])]
    chosen = draw(st.sampled_from(operators))
    numbers = st.one_of(VALUES["integer"], VALUES["float"])
    values = numbers if spec.type in ("integer", "float") else VALUES[spec.type]
    count = {"present": 0, "in": draw(st.integers(1, 3))}.get(chosen, 1)
    return Condition(name, chosen, tuple(draw(values) for _ in range(count)))


TREES = st.recursive(
    conditions(),
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: All(tuple(parts))),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: Any(tuple(parts))),
    ),
    max_leaves=8,
)
ITEMS = st.lists(
    st.fixed_dictionaries({}, optional={name: values_of(name) for name in FIELDS}),
    min_size=30,
    max_size=30,
)


@settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(items=ITEMS, trees=st.lists(TREES, min_size=6, max_size=6))
def test_the_graph_agrees_with_plain_python(graph, items, trees):
    create_schema(graph, EVERY_KIND)
    save_items(graph, EVERY_KIND, [item_row(str(n), **fields) for n, fields in enumerate(items)])

    for tree in trees:
        expected = {str(n) for n, fields in enumerate(items) if passes(tree, fields)}
        predicate = compile_filter(EVERY_KIND, tree)

        assert set(list_passing(graph, predicate)) == expected, predicate
    assert find_passing(graph, predicate, [str(n) for n in range(len(items))]) == expected


def test_hidden_items_are_not_listed_and_the_unknown_do_not_pass(graph, domain):
    save_items(graph, domain, [item_row("1", year=1990), item_row("2", hidden=True, year=1990)])
    predicate = compile_filter(domain, Condition("year", "in", (1990,)))

    assert list_passing(graph, predicate) == ["1"]
    assert find_passing(graph, predicate, ["1", "nothing"]) == {"1"}


@pytest.mark.parametrize(
    ("tree", "text"),
    [
        (Condition("year", ">=", (1990,)), "i.`year` >= $filter[0]"),
        (
            Not(All((Condition("year", "<", (5,)), Condition("tags", "in", ("x", "y"))))),
            "(coalesce(NOT (i.`year` < $filter[0]), true) OR "
            "coalesce(NOT (any(value IN i.`tags` WHERE value IN $filter[1])), true))",
        ),
        (
            Condition("brand", "in", ("'}) DETACH DELETE i //",)),
            "EXISTS { (i)-[:`OF_BRAND`]->(a:`Brand`) WHERE a.id IN $filter[0] }",
        ),
    ],
)
def test_values_are_bound_and_never_part_of_the_statement(tree: Filter, text: str):
    predicate = compile_filter(EVERY_KIND, tree)

    assert predicate.text == text
    assert restricted("WHERE <passes>", predicate) == f"WHERE {text}"


def planned(graph, statement: str, **parameters) -> list[tuple[str, str]]:
    """The operators of the server's plan, each with what it is about."""
    made = graph._driver.execute_query("EXPLAIN " + statement, parameters, database_=graph.database)
    found, waiting = [], [made.summary.plan]
    while waiting:
        step = waiting.pop()
        waiting += step.get("children", [])
        found.append((step["operatorType"], step["args"].get("Details", "")))
    return found


CATALOGUE = """
UNWIND range(0, 1999) AS n
CREATE (i:Item:Thing {id: toString(n), year: n % 100, price: n * 0.5, released: toString(n % 300)})
WITH i, n
MERGE (b:Brand {id: toString(n % 200)})
CREATE (i)-[:OF_BRAND]->(b)
"""
SELECTIVE = [
    (Condition("year", "in", (7,)), "i:Item(year)"),
    (Condition("year", "in", (7, 8)), "i:Item(year)"),
    (Condition("released", "in", ("7",)), "i:Item(released)"),
    (Condition("price", "<", (7.0,)), "i:Item(price)"),
    (All((Condition("price", ">=", (7,)), Condition("price", "<=", (9,)))), "i:Item(price)"),
    (All((Condition("year", "in", (7,)), Not(Condition("new", "present")))), "i:Item(year)"),
    (Condition("brand", "in", ("7",)), "Brand(id)"),
    (All((Condition("brand", "in", ("7",)), Not(Condition("year", "<", (50,))))), "Brand(id)"),
]


def test_what_passes_is_found_by_an_index_and_candidates_by_their_ids(graph):
    create_schema(graph, EVERY_KIND)
    graph.write(CATALOGUE)
    graph.read("CALL db.awaitIndexes(60)")
    compiled = [(compile_filter(EVERY_KIND, tree), about) for tree, about in SELECTIVE]
    # Whatever the server thinks that a new index holds.
    for passing, _ in compiled:
        for statement in (candidates_statement("i", passing), FIND_PASSING):
            asked = {"ids": ["1"], "walked": ["1"], "version": "v", "index": "i", "k": 1}
            asked |= {"filter": list(passing.values), "vector": [1.0]}
            steps = planned(graph, restricted(statement, passing), **asked)
            seeks = [step for step in steps if "IndexSeek" in step[0] and "i:Item" in step[1]]
            assert seeks, (passing, steps)
            assert all("i:Item(id)" in about for _, about in seeks), (passing, steps)

    graph.read("CALL db.prepareForReplanning(60)")
    for passing, about in compiled:
        steps = planned(graph, restricted(LIST_PASSING, passing), filter=list(passing.values))
        assert not [step for step in steps if "LabelScan" in step[0]], (passing, steps)
        assert [s for s in steps if "IndexSeek" in s[0] and about in s[1]], (passing, steps)


def test_the_newest_of_what_passes_comes_first_and_each_once(graph, domain):
    for id, genres in (("old", ["Drama", "War"]), ("none", ["Film-Noir"]), ("new", ["War"])):
        save_items(graph, domain, [item_row(id, genres=genres)])
    save_items(graph, domain, [item_row("hidden", hidden=True, genres=["War"])])
    wanted = compile_filter(domain, Condition("genres", "in", ("Drama", "War")))

    assert list_newest(graph, wanted) == ["new", "old"]
