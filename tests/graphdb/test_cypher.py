"""Names enter a statement as identifiers or not at all."""

import pytest

from graphdb.cypher import NameRefusedError, render, union


def test_names_are_quoted_and_several_are_alternatives():
    assert render("(n:<label>)-[:<types>]->()", label="Item", types=["A", "B"]) == (
        "(n:`Item`)-[:`A`|`B`]->()"
    )


def test_names_that_are_no_identifiers_are_not_rendered():
    with pytest.raises(NameRefusedError, match="cannot be a name"):
        render("MATCH (n:<label>)", label="A`) DETACH DELETE n //")


def test_parts_are_one_statement():
    assert union(["RETURN 1 AS n", "RETURN 2 AS n"]) == "RETURN 1 AS n\nUNION ALL\nRETURN 2 AS n"
