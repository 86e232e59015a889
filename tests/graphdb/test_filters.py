"""The language: what is written is the tree that is meant; what is not is refused by its place."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphdb.domain import load_domain
from graphdb.filters import (
    DEEPEST,
    LONGEST,
    All,
    Any,
    Condition,
    FilterError,
    Not,
    parse_boost,
    parse_filter,
)
from tests.documents import ROOT, blocks
from tests.filtered import EVERY_KIND

NEW = Condition("new", "in", (True,))
OLD = Condition("year", "<", (1950,))
DRAMA = Condition("genres", "in", ("Drama",))


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("new = true", NEW),
        ("year<1950", OLD),
        ('genres has "Drama"', DRAMA),
        ("year in [1990, 1991]", Condition("year", "in", (1990, 1991))),
        (
            "price in -1.5..2e2",
            All((Condition("price", ">=", (-1.5,)), Condition("price", "<=", (200.0,)))),
        ),
        (
            'released in "1990-01-01".."1990-12-31"',
            All(
                (
                    Condition("released", ">=", ("1990-01-01",)),
                    Condition("released", "<=", ("1990-12-31",)),
                )
            ),
        ),
        ("has tags", Condition("tags", "present")),
        ("year != 1950", Not(Condition("year", "in", (1950,)))),
        ('tags in ["say \\"hi\\"", "\\u00e9"]', Condition("tags", "in", ('say "hi"', "é"))),
        ("not new = true and year < 1950", All((Not(NEW), OLD))),
        (
            'new = true or year < 1950 and genres has "Drama"',
            Any((NEW, All((OLD, DRAMA)))),
        ),
        (
            '(new = true or year < 1950) and genres has "Drama"',
            All((Any((NEW, OLD)), DRAMA)),
        ),
        ("  not\n(new = true)\t", Not(NEW)),
    ],
)
def test_what_is_written_is_what_is_meant(text, tree):
    assert parse_filter(text, EVERY_KIND) == tree


@pytest.mark.parametrize(
    ("text", "position", "said"),
    [
        ("", 1, "expected a field, has, not, or (, found the end"),
        ("year", 5, "expected =, !=, <, <=, >, >=, or in after year, found the end"),
        ("year = ", 8, "expected a number, found the end"),
        ('year = "x"', 8, "expected a number, found '\"x\"'"),
        ("year = 1990 genres", 13, "expected and, or, or the end, found 'genres'"),
        ("(year = 1990", 13, "expected and, or, or ), found the end"),
        ("year in [1, ]", 13, "expected a number"),
        ("year in [1 2]", 12, "expected a comma or ]"),
        ("year in 5..1", 9, "from the smaller to the larger"),
        ("year in 5", 10, "expected .., found the end"),
        ("year = 1e999", 8, "at most 9007199254740992"),
        ("year = 9007199254740993", 8, "at most 9007199254740992"),
        ("new < true", 5, "expected =, !=, or in after new"),
        ("new = 1", 7, "expected true or false"),
        ('genres = "Drama"', 8, 'has or in, for genres is a list (as in genres has "…")'),
        ('title = "x"', 1, "no field 'title' that may be filtered in domain every-kind"),
        ("Year = 1", 1, "there are: released, year, price, new, tags, genres, brand"),
        ("year = 1 ; drop", 10, "nothing can begin with '; drop'"),
        ('released = "open', 12, "nothing can begin with"),
        ('released = "\\x"', 12, "an escape in it is not one"),
        ('released = "\\ud800"', 12, "an escape in it is not one"),
        ("released = 'x'", 12, "nothing can begin with"),
    ],
)
def test_what_is_not_understood_is_refused_by_its_place(text, position, said):
    with pytest.raises(FilterError) as refused:
        parse_filter(text, EVERY_KIND)

    assert refused.value.position == position
    assert said in str(refused.value)


@pytest.mark.parametrize(("before", "after"), [("(", ")"), ("not ", "")])
def test_a_thousand_deep_is_refused_with_a_sentence_and_the_deepest_is_read(before, after):
    def deep(depth: int) -> str:
        return before * depth + "new = true" + after * depth

    parse_filter(deep(DEEPEST), EVERY_KIND)
    for depth in (DEEPEST + 1, (LONGEST - 10) // len(before + after)):
        with pytest.raises(FilterError, match="expected at most 30 parentheses and nots"):
            parse_filter(deep(depth), EVERY_KIND)


def test_the_longest_is_read_and_one_more_is_not():
    parse_filter("new = true".ljust(LONGEST), EVERY_KIND)

    with pytest.raises(FilterError, match="expected at most 4000 characters, found 4001"):
        parse_filter("new = true".ljust(LONGEST + 1), EVERY_KIND)


def test_a_domain_says_what_may_be_filtered():
    with pytest.raises(FilterError, match="there are: year, genres, countries"):
        parse_filter('title = "Alien"', load_domain("films"))


@pytest.mark.parametrize(("number", "domain"), [(0, "films"), (1, "shop")])
def test_the_examples_of_the_page_are_read(number, domain):
    example = blocks("docs/filters.md", "filter")[number]

    assert isinstance(parse_filter(example, load_domain(domain)), All)


def test_the_boost_of_the_page_is_read():
    (example,) = blocks("docs/filters.md", "boost")

    assert parse_boost(example, load_domain("films")).factor == 2


def test_the_page_names_the_bounds():
    page = (ROOT / "docs/filters.md").read_text()

    assert f"{LONGEST:,} characters, with {DEEPEST} parentheses" in page


def test_a_boost_is_a_filter_and_a_factor():
    boost = parse_boost("new = true or year < 1950 by 2.5", EVERY_KIND)

    assert (boost.passing, boost.factor) == (Any((NEW, OLD)), 2.5)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("new = true", "expected and, or, or by and a factor, found the end"),
        ("new = true by", "expected a number"),
        ("new = true by 0", "expected a factor from 0.1 to 10"),
        ("new = true by 11", "expected a factor from 0.1 to 10"),
        ("new = true by 2 3", "expected the end, found '3'"),
    ],
)
def test_a_boost_without_a_factor_in_range_is_refused(text, said):
    with pytest.raises(FilterError, match=said):
        parse_boost(text, EVERY_KIND)


WORDS = st.sampled_from(
    ["and", "or", "not", "has", "in", "by", "year", "genres", "new", "true", "(", ")", "[", "]"]
) | st.sampled_from([",", "..", "=", "<", ">=", '"x"', "1", "-2.5", "\ud800", "\x00", "é", "\\"])


@settings(max_examples=300, derandomize=True)
@given(st.one_of(st.text(max_size=60), st.lists(WORDS, max_size=20).map(" ".join)))
def test_any_text_is_a_filter_or_a_sentence_in_utf_8(text):
    try:
        parse_filter(text, EVERY_KIND)
    except FilterError as error:
        assert 1 <= error.position <= len(text) + 1
        assert len(str(error).encode()) < 400
