"""Rules, sources and rankings of a domain file: what is refused, with key or rule."""

import pytest

from graphdb.domain import DomainError, load_domain, parse_domain
from tests.ruled import FILMS, TEXT


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("never =", "newer =", r"line \d+: rules.blocked.newer: no such key"),
        ('"(person)-[:BLOCKS]->(item)"', '"(person)-->(item)"', r"rules.blocked.never: at charac"),
        ("[:BLOCKS]", "[:BLOKS]", "rule 'blocked': there is no relationship 'BLOKS'"),
        ("(:Tag {id:", "(:Label {id:", "rule 'lately': there is no label 'Label'"),
        ("(:Tag {id:", "(:Tag {name:", "rule 'lately': Tag has no property 'name'; it has: id"),
        ("->(group)", "->(:Genre)", r"rule 'variety': per needs one node \(item\), one node"),
        ("position = 2", "position = 0", r"rules.sponsored.position: .*greater than or equal"),
        ("position = 2\n", "", "rules.sponsored: 'place' needs 'position'"),
        ("at_most = 2", "at_most = 2\nposition = 1", "'position' does not go with 'at_most'"),
        ("at_most = 2", "place = '(item)'\nat_most = 2", "exactly one of never, at_most, pl"),
        ("[:RATED]->(item)", "[:BLOCKS]->(item)", "'lately': within_days needs a pattern with one"),
        ("within_days = 7", "", "rules.tired: 'shown_at_most' needs 'within_days'"),
        ("[rules.variety]", "[rules.sequels]", "'sequels' names both a source and a rule"),
        ("[rules.variety]", "[rules.popular]", "'popular' is a word of Pathlight's own"),
        ("[rules.variety]", '[rules."1`"]', r"rules\.1`: String should match"),
        ("timeout_ms = 10000", "timeout_ms = 30001", "sources.sequels.timeout_ms: "),
        ("rows = 50", "rows = 1001", "sources.sequels.rows: "),
    ],
)  # fmt: skip
def test_a_mistake_is_named(old, new, said):
    assert old in TEXT

    with pytest.raises(DomainError, match=said):
        parse_domain(TEXT.replace(old, new, 1), "ruled.toml")


CHOICES = """
[relations.follows]
relationship = "FOLLOWS"
from = "user"
to = "user"

[social]
relations = ["follows"]

[walks]
knowledge = ["people", "genres"]
social = ["follows"]
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('relations = ["follows"]', 'relations = ["blocks"]', "social.relations: 'blocks' is none"),
        ('relations = ["follows"]', "", "walks.social: 'follows' is none of none"),
        ('"people"', '"title"', "walks.knowledge: 'title' is none of genres, people, countries"),
        ('"people"', '"blocks"', "walks.knowledge: 'blocks' is none"),
        ("[walks]", "[walk]", r"line \d+: walk: no such key"),
        ("knowledge =", "knowlege =", r"line \d+: walks.knowlege: no such key"),
        ("[social]", "[social]\nleast_people = 0", "social.least_people: .*greater than or equal"),
    ],
)
def test_what_is_told_of_people_and_walked_is_there(old, new, said):
    assert parse_domain(TEXT + CHOICES, "ruled.toml").walks.knowledge == ["people", "genres"]
    assert old in CHOICES

    with pytest.raises(DomainError, match=said):
        parse_domain(TEXT + CHOICES.replace(old, new, 1), "ruled.toml")


def test_what_is_told_and_walked_does_not_change_the_digest():
    relations, chosen = CHOICES.split("[social]")

    told = parse_domain(f"{FILMS}{relations}[social]{chosen}", "a")
    assert told.digest == parse_domain(FILMS + relations, "b").digest


def test_two_rules_cannot_place_at_one_position():
    again = TEXT + "[rules.again]\nplace = \"(item {id: '1'})\"\nposition = 2\n"

    with pytest.raises(DomainError, match="two rules place an item at one position"):
        parse_domain(again, "ruled.toml")


def test_rules_and_sources_do_not_change_the_digest():
    relations, rules = TEXT[len(FILMS) :].split("[rules.blocked]")

    ruled = parse_domain(f"{FILMS}{relations}[rules.blocked]{rules}", "a")
    assert ruled.digest == parse_domain(FILMS + relations, "b").digest
    assert ruled.digest != load_domain("films").digest


RANKED = """
[rankings.newest]
filter = 'genres has "Drama"'
order = "year desc"
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("rankings.newest", "rankings.popular", "rankings.popular: 'popular' is a word of Pathl"),
        ("rankings.newest", "rankings.profile", "rankings.profile: 'profile' is a word of Pathl"),
        ("rankings.newest", "rankings.Popular", r"rankings\.Popular: String should match"),
        ("genres has", "genre has", "rankings.newest.filter: at character 1: no field 'genre'"),
        ("genres has", "genres =", "rankings.newest.filter: at character 8: expected has or in"),
        ("'genres has \"Drama\"'", '""', "rankings.newest.filter: at character 1: expected a fi"),
        ("year desc", "year", "newest.order: expected trending, popular, latest, or a field with"),
        ("year desc", "year down", "as in 'year desc', of these: title, overview, year, imdb; fo"),
        ("year desc", "genres desc", "rankings.newest.order: .*; found 'genres desc'"),
        ("year desc", "popular desc", "rankings.newest.order: .*; found 'popular desc'"),
        (
            "order =",
            "sort =",
            r"rankings.newest.(order: Field required|sort: no such key)",
        ),
    ],
)
def test_a_ranking_that_says_nothing_sound_is_refused(old, new, said):
    assert parse_domain(FILMS + RANKED, "ranked.toml").rankings["newest"].order == "year desc"
    assert old in RANKED

    with pytest.raises(DomainError, match=said):
        parse_domain(FILMS + RANKED.replace(old, new), "ranked.toml")


def test_rankings_do_not_change_the_digest():
    assert parse_domain(FILMS + RANKED, "a").digest == load_domain("films").digest
