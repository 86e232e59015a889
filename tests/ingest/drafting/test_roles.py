"""Which column is the person, the thing, the time: by name where it says so, else by content."""

import pytest

from ingest.drafting.profile import take_sample
from ingest.drafting.roles import find_roles, is_rating, words


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("personId", {"person", "id"}),
        ("visitorid", {"visitor", "id"}),
        ("CUSTOMER_NO", {"customer", "no"}),
        ("user_id:token", {"user", "id"}),
        ("movies", {"movie"}),
        ("unixReviewTime", {"unix", "time"}),
    ],
)
def test_words_of_names(name, found):
    assert found <= words(name)


def roles_of(path, header, rows):
    path.write_text(
        "".join(",".join(map(str, row)) + "\n" for row in ([header] if header else []) + rows)
    )
    roles = find_roles(take_sample(path, 1000))
    return {role: column.name for role, column in roles.columns.items()}, roles


CLICKS = [
    (f"p{n % 7}", f"t{n % 5}", ("view", "buy")[n % 2], 1_600_000_000 + n, n % 5 + 1)
    for n in range(60)
]


@pytest.mark.parametrize(
    "header",
    [
        ("visitorid", "itemid", "event", "timestamp", "rating"),
        ("cust_no", "ProductCode", "action", "created_at", "stars"),
        ("who", "what", "did", "then", "score"),
        None,
    ],
)
def test_roles_are_found_with_and_without_names(tmp_path, header):
    found, roles = roles_of(tmp_path / "t.csv", header, CLICKS)
    names = header or ("c1", "c2", "c3", "c4", "c5")

    assert found == dict(zip(("user", "item", "event_type", "time", "value"), names, strict=True))
    assert set(roles.reasons) == set(found) and all(roles.reasons.values())
    assert roles.are_events and is_rating(roles.columns["value"])


def test_a_quantity_is_no_rating(tmp_path):
    rows = [(n % 7, n % 5, n - 20) for n in range(100)]
    _, roles = roles_of(tmp_path / "t.csv", ("customer", "sku", "quantity"), rows)

    assert not is_rating(roles.columns["value"])


def test_a_catalogue_is_no_table_of_events(tmp_path):
    _, roles = roles_of(
        tmp_path / "t.csv", ("item_id", "title"), [(n, f"title {n}") for n in range(50)]
    )

    assert not roles.are_events
