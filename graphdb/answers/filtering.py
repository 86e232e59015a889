"""Filters over the catalogue's fields: the Cypher that tells what passes a tree of conditions.

Values are bound, names are the domain's. How a filter is written is graphdb.filters' affair.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import LiteralString, cast

from graphdb.connection import Graph
from graphdb.cypher import render
from graphdb.domain import Domain
from graphdb.filters import All, Condition, Filter, Not, Value


@dataclass(frozen=True)
class Predicate:
    """Cypher on an item `i` that is true for what passes; `values` is its parameter `$filter`.

    links: clauses that match whatever passes, perhaps more than once: a statement that looks for it
    has them, so that the server may begin with an attribute's items instead of with all.
    inside: what of it a vector index can tell by the fields it holds; empty where nothing.
    """

    text: LiteralString = "true"
    values: tuple[Value | list[Value], ...] = ()
    links: LiteralString = ""
    inside: LiteralString = ""


EVERYTHING = Predicate()

COMPARED = "i.<field> {operator} $filter[{n}]"
HELD = "i.<field> IN $filter[{n}]"
LISTED = "any(value IN i.<field> WHERE value IN $filter[{n}])"
LINKED = "EXISTS {{ (i)-[:<relationship>]->(a:<label>) WHERE a.id IN $filter[{n}] }}"
LINK = "(i)-[:<relationship>]->(a{n}:<label>) WHERE a{n}.id IN $filter[{n}]"
PRESENT = "i.<field> IS NOT NULL"
NOT_EMPTY = "size(i.<field>) > 0"
ATTACHED = "EXISTS {{ (i)-[:<relationship>]->(:<label>) }}"


def compile_filter(domain: Domain, tree: Filter | None, indexed: Collection[str] = ()) -> Predicate:
    """The predicate of a tree whose fields are the domain's; EVERYTHING without a tree.

    indexed: the fields that the vector index holds which is to be asked.
    """
    if tree is None:
        return EVERYTHING
    values: list[Value | list[Value]] = []
    text = _predicate(domain, tree, False, values)
    linked = [c for c in _needed(tree) if c.operator == "in" and domain.item.fields[c.field].node]
    links = "".join("\nMATCH " + _filled(domain, LINK, one, values) for one in linked)
    inside = " AND ".join(_condition(domain, one, values) for one in _bounds(tree, indexed))
    return Predicate(text, tuple(values), links, inside)


def restricted(statement: LiteralString, passing: Predicate) -> LiteralString:
    """The statement with its <passes>, and <links> if it has them, filled in; it binds `filter` to
    the predicate's values."""
    return statement.replace("<passes>", passing.text).replace("<links>", passing.links)


def _needed(tree: Filter) -> Iterator[Condition]:
    """Conditions that each hold for whatever passes."""
    if isinstance(tree, Condition):
        yield tree
    elif isinstance(tree, All):
        for part in tree.parts:
            yield from _needed(part)


def _bounds(tree: Filter, indexed: Collection[str]) -> list[Condition]:
    """What a vector index takes, of each field: values, or a bound on either side."""
    held: dict[str, dict[str, Condition]] = {}
    for one in _needed(tree):
        if one.field in indexed and one.operator != "present":
            held.setdefault(one.field, {}).setdefault(one.operator[0], one)
    return [
        one for sides in held.values() for one in ([sides["i"]] if "i" in sides else sides.values())
    ]


def _predicate(
    domain: Domain, tree: Filter, negated: bool, values: list[Value | list[Value]]
) -> LiteralString:
    """Negation goes down to the conditions: above them null then counts as false, as in WHERE."""
    if isinstance(tree, Not):
        return _predicate(domain, tree.inner, not negated, values)
    if isinstance(tree, Condition):
        condition = _condition(domain, tree, values)
        return f"coalesce(NOT ({condition}), true)" if negated else condition
    parts = [_predicate(domain, part, negated, values) for part in tree.parts]
    word: LiteralString = " AND " if isinstance(tree, All) != negated else " OR "
    return "(" + word.join(parts) + ")"


def _condition(
    domain: Domain, condition: Condition, values: list[Value | list[Value]]
) -> LiteralString:
    spec = domain.item.fields[condition.field]
    if condition.operator == "present":
        text = ATTACHED if spec.node else NOT_EMPTY if spec.type == "strings" else PRESENT
    elif condition.operator == "in":
        text = LINKED if spec.node else LISTED if spec.type == "strings" else HELD
    else:
        text = COMPARED
    return _filled(domain, text, condition, values)


def _filled(
    domain: Domain,
    text: LiteralString,
    condition: Condition,
    values: list[Value | list[Value]],
) -> LiteralString:
    """A condition's text with its names, and its values as the next ones."""
    if condition.operator == "in":
        values.append(list(condition.values))
    else:
        values.extend(condition.values)
    filled = text.format(n=len(values) - 1, operator=condition.operator)
    names = {"field": condition.field}
    if node := domain.item.fields[condition.field].node:
        names |= {"relationship": node.relationship, "label": node.label}
    # The operator is one of five, the number our own: what is literal stays so.
    return render(cast(LiteralString, filled), **names)


LIST_PASSING = """
MATCH (i:Item)
WHERE i.hidden IS NULL AND coalesce(i.expires_at > datetime(), true) AND <passes><links>
RETURN collect(DISTINCT i.id) AS ids
"""


def list_passing(graph: Graph, passing: Predicate) -> list[str]:
    """Ids of all items that pass and may be shown."""
    statement = restricted(LIST_PASSING, passing)
    return graph.read(statement, filter=list(passing.values))[0]["ids"]


LIST_NEWEST = """
MATCH (i:Item)
WHERE i.hidden IS NULL AND coalesce(i.expires_at > datetime(), true) AND <passes><links>
WITH DISTINCT i
ORDER BY i.created_at DESC, i.id
RETURN collect(i.id) AS ids
"""


def list_newest(graph: Graph, passing: Predicate) -> list[str]:
    """The same, the newest first."""
    statement = restricted(LIST_NEWEST, passing)
    return graph.read(statement, filter=list(passing.values))[0]["ids"]


# The hint is graphdb.answers.retrieval's.
FIND_PASSING = """
UNWIND $ids AS id
MATCH (i:Item {id: id}) USING INDEX SEEK i:Item(id)
WHERE <passes>
RETURN collect(i.id) AS ids
"""


def find_passing(graph: Graph, passing: Predicate, ids: Sequence[str]) -> set[str]:
    """Those of `ids` that pass."""
    statement = restricted(FIND_PASSING, passing)
    return set(graph.read(statement, ids=list(ids), filter=list(passing.values))[0]["ids"])
