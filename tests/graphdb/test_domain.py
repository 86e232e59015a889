"""The domain file: what is refused, with key and line; what an event weighs."""

import re
from datetime import UTC, datetime, timedelta
from importlib import resources

import pytest

from graphdb.domain import DomainError, load_domain, parse_domain

FILMS = resources.files("domains").joinpath("films.toml").read_text()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("value = ", "valeu = ", r"films.toml, line \d+: events.rated.valeu: no such key"),
        ('label = "Film"', 'label = "film x"', r"line 12: item.label: "),
        ('type = "integer"', 'type = "int"', r"line \d+: item.fields.year.type: .*'integer'"),
        ('"HAS_GENRE"', '"RATED"', "'RATED' names both an event and an attribute"),
        ('"WATCHED"', '"RATED"', "two event types share"),
        ('"WATCHED"', '"SIMILAR_A"', "one of Pathlight's own"),
        ("[item.fields.title]", "[item.fields.vector_a]", "'vector_a' is a name of Pathlight's"),
        ("weight = -1.0", "weight = nan", "events.dismissed.weight"),
        ('"genres"', '"year"', r"categories: 'year' is not a field of text: .* title, overview"),
        ("[events.rated]", "[events.rated", "line"),
    ],
)
def test_a_mistake_is_named_with_key_and_line(old, new, said):
    assert old in FILMS

    with pytest.raises(DomainError, match=said):
        parse_domain(FILMS.replace(old, new, 1), "films.toml")


AUDIT = """
[audit]
fast_minute = 60

[audit.thresholds]
own_pace = 0.05
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("own_pace =", "own_paces =", r"line {6}: audit.thresholds.own_paces: no such key"),
        ("0.05", "1.5", r"line {6}: audit.thresholds.own_pace: .*less than or equal to 1"),
        ("60", "0", r"line {3}: audit.fast_minute: .*greater than or equal to 1"),
        ("60", '"fast"', r"line {3}: audit.fast_minute: "),
        ("fast_minute", "quick_minute", r"line {3}: audit.quick_minute: no such key"),
    ],
)
def test_a_mistake_in_the_audit_is_named_with_key_and_line(old, new, said):
    assert parse_domain(FILMS + AUDIT, "films.toml").audit.thresholds.own_pace == 0.05
    end = FILMS.count("\n")
    expected = re.sub(r"\{(\d)\}", lambda found: str(end + int(found[1])), said)

    with pytest.raises(DomainError, match=expected):
        parse_domain(FILMS + AUDIT.replace(old, new), "films.toml")


def test_what_the_audit_allows_does_not_change_the_digest():
    assert parse_domain(FILMS + AUDIT, "films.toml").digest == load_domain("films").digest


GROUPS = """
[groups.small]
makers = ["Mosfilm"]
"""


def test_groups_are_of_the_field_that_names_makers():
    made = FILMS.replace('categories = "genres"', 'makers = "people"', 1)

    assert parse_domain(made + GROUPS, "films.toml").groups["small"].makers == ["Mosfilm"]
    with pytest.raises(DomainError, match=r"item\.makers must name the field"):
        parse_domain(FILMS + GROUPS, "films.toml")
    with pytest.raises(DomainError, match=r"groups\.small\.makers: .*at least 1 item"):
        parse_domain(made + GROUPS.replace('"Mosfilm"', ""), "films.toml")


def test_how_lists_are_ordered_does_not_change_the_digest():
    made = FILMS.replace('categories = "genres"', 'makers = "people"', 1)

    assert parse_domain(made + GROUPS, "films.toml").digest == load_domain("films").digest


FOLLOWS = """
[relations.follows]
relationship = "FOLLOWS"
from = "user"
to = "user"
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('to = "user"', 'to = "title"', "'title' is none of user, item, genres"),
        ('from = "user"', 'from = "genres"', "must start from user or item"),
        ('"FOLLOWS"', '"RATED"', "'RATED' names a relation and something else"),
        ('"FOLLOWS"', '"SAME_AS"', "one of Pathlight's own"),
        ('to = "user"', 'too = "user"', "relations.follows.too: no such key|relations.follows.to:"),
    ],
)
def test_a_relation_that_leads_nowhere_is_named(old, new, said):
    assert parse_domain(FILMS + FOLLOWS, "films.toml").relations["follows"].from_ == "user"

    with pytest.raises(DomainError, match=said):
        parse_domain(FILMS + FOLLOWS.replace(old, new), "films.toml")


def test_the_line_is_that_of_the_misspelt_key():
    text = FILMS.replace("[user.fields.age]", "[user.fields.age]\ntpye = 1")
    line = text.splitlines().index("tpye = 1") + 1

    with pytest.raises(DomainError, match=f"line {line}: user.fields.age.tpye: no such key"):
        parse_domain(text, "films.toml")


def test_an_absent_file_is_one_sentence():
    with pytest.raises(DomainError, match="neither a shipped domain nor a file"):
        load_domain("no/such/file.toml")


def test_layout_does_not_change_the_digest():
    assert parse_domain("\n\n" + FILMS, "a").digest == load_domain("films").digest
    changed = FILMS.replace("weight_cap = 1.0", "weight_cap = 2.0")
    assert parse_domain(changed, "a").digest != load_domain("films").digest


def test_weight_halves_with_the_half_life_and_counts_value():
    text = FILMS.replace(
        'value = "ignore"', 'value = "multiply"\nhalf_life_days = 10\nat_least = 2'
    )
    domain = parse_domain(text, "films.toml")
    now = datetime(2026, 1, 31, tzinfo=UTC)

    def weight(value, days):
        return domain.event_weight("rated", value, now - timedelta(days=days), now)

    assert weight(3, 0) == 3
    assert weight(4, 20) == pytest.approx(1)
    assert weight(1, 0) == 0
    assert weight(None, 0) == 0
    assert weight(3, -5) == 3


def test_item_text_is_its_text_fields_in_the_domains_order():
    fields = {"genres": ["Comedy", "Drama"], "title": "Kolya", "year": 1996}

    assert load_domain("films").item_text(fields) == "Kolya. Comedy, Drama"
