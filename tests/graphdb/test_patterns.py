"""Patterns: what a text says, and a sentence for each that cannot be one."""

import pytest

from graphdb.patterns import Pattern, PatternLink, PatternNode, check_names, parse_pattern

LABELS = {"User": ["id"], "Item": ["id", "year"], "Genre": ["id"]}
TYPES = ["RATED", "HAS_GENRE"]


def test_a_chain_is_its_nodes_and_links():
    pattern = parse_pattern("(person)-[:RATED | WATCHED]->(item:Film)<-[:SEQUEL_OF]-( )")

    assert pattern == Pattern(
        (PatternNode("person"), PatternNode("item", "Film"), PatternNode()),
        (PatternLink(("RATED", "WATCHED"), "->"), PatternLink(("SEQUEL_OF",), "<-")),
    )
    assert (pattern.names, pattern.labels) == (["person", "item"], ["Film"])
    assert parse_pattern("(item)-[:GOES_WITH]-(group)").links[0].direction == "-"


@pytest.mark.parametrize(
    ("written", "value"),
    [("'it is } Drama'", "it is } Drama"), ("7", 7), ("-1.5", -1.5), ("true", True)],
)
def test_a_property_is_a_value(written, value):
    (node,) = parse_pattern(f"(:Genre {{id: {written}}})").nodes

    assert (node.field, node.value, type(node.value)) == ("id", value, type(value))


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("", 1),
        ("(film)", 1),
        ("(item) WHERE true", 8),
        ("(item)-->(group)", 7),
        ("(item)<-[:A]->(group)", 7),
        ("(item)-[:A]->", 14),
        ("(item)-[:A`|B]->(group)", 7),
        ("(:Genre {id: 'a' OR true})", 1),
        ("(:Genre {id: 'it\\'s'})", 1),
        ("(item) DETACH DELETE item //", 8),
    ],
)
def test_what_is_no_pattern_is_refused_at_its_character(text, at):
    with pytest.raises(ValueError, match=rf"at character {at}: expected"):
        parse_pattern(text)


def test_only_text_is_a_pattern():
    with pytest.raises(ValueError, match="expected a pattern"):
        parse_pattern(3)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("(item)-[:RATTED]-(person)", "no relationship 'RATTED'; there are: RATED, HAS_GENRE"),
        ("(:Gender)", "no label 'Gender'; there are: User, Item, Genre"),
        ("(item {genre: 'Drama'})", "Item has no property 'genre'; it has: id, year"),
        ("(group {id: 'Drama'})", "needs its label"),
    ],
)
def test_names_must_be_of_the_vocabulary(text, said):
    check_names(parse_pattern("(item {year: 1})-[:HAS_GENRE]->(:Genre {id: 'x'})"), LABELS, TYPES)

    with pytest.raises(ValueError, match=said):
        check_names(parse_pattern(text), LABELS, TYPES)
