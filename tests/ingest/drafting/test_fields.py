"""Which columns describe a thing or a person, and as what."""

import pytest

from ingest.drafting.fields import describe, determined, field_name, own_columns, slug
from ingest.drafting.profile import profile, take_sample
from ingest.drafting.roles import find_roles


@pytest.mark.parametrize(
    ("values", "settings"),
    [
        ([n % 9 for n in range(100)], {"type": '"integer"'}),
        ([n / 7 for n in range(100)], {"type": '"float"'}),
        (
            ["red", "blue"] * 50,
            {"filter": "true", "node": '{ label = "Colour", relationship = "HAS_COLOUR" }'},
        ),
        ([f"a story of number {n} and its friends" for n in range(100)], {"text": "true"}),
        ([f"x{n}" for n in range(100)], {}),
    ],
)
def test_what_a_column_becomes(values, settings):
    (found,) = describe([profile("Colour", values)], set(), set())

    assert (found.name, found.settings) == ("colour", settings)
    assert found.reason


def test_names_are_new_and_never_pathlights_own():
    names: set[str] = set()

    assert [field_name(n, names) for n in ("text", "a.Title", "title", "1st", "vector_a")] == [
        "its_text",
        "title",
        "title_2",
        "field_1st",
        "its_vector_a",
    ]
    assert slug("movie_title:token_seq", "x") == "movie_title"
    assert slug("COMMENT CREATED", "x") == "comment_created"


def test_a_column_belongs_to_what_determines_it(tmp_path):
    lines = [
        f"u{n % 30},i{n % 17},Title {n % 17},{'DE' if n % 30 % 3 else 'FR'},{n}" for n in range(600)
    ]
    (tmp_path / "t.csv").write_text("user_id,item_id,title,country,row\n" + "\n".join(lines) + "\n")
    sample = take_sample(tmp_path / "t.csv", 1000)
    own = own_columns(sample, find_roles(sample))

    assert {role: [column.name for column in found] for role, found in own.items()} == {
        "user": ["country"],
        "item": ["title"],
    }


def test_what_is_nearly_always_the_same_is_determined_by_nothing():
    key = profile("k", [n % 20 for n in range(400)])
    nearly = profile("c", ["UK"] * 390 + ["FR"] * 10)

    assert determined(key, nearly) == 0.0
