"""Pages over real HTTP: several rows, nothing twice, each a list of its own."""

import pytest


@pytest.fixture(scope="module")
def post(client):
    def post(status: int = 200, **body) -> dict:
        answer = client.post("/v1/recommendations:page", json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    return post


def ids(*pages: dict) -> list[str]:
    return [item["id"] for page in pages for row in page["rows"] for item in row["items"]]


def test_nothing_is_in_two_rows_nor_on_two_pages(post):
    rows = [{"scenario": "top", "k": 4}, {"scenario": "more", "k": 3}, {"k": 2}]
    first = post(user_id="p2", rows=rows)
    cursors = [row["next_cursor"] for row in first["rows"]]
    second = post(
        user_id="p2", rows=[{**r, "cursor": c} for r, c in zip(rows, cursors, strict=True)]
    )
    # One row alone goes on past what stood beside it.
    alone = post(user_id="p2", rows=[{"k": 4, "cursor": cursors[0]}])

    assert [len(row["items"]) for row in first["rows"]] == [4, 3, 2]
    assert len(set(ids(first, second))) == len(ids(first, second)) == 18
    assert not set(ids(first)) & set(ids(alone))
    assert [[i["rank"] for i in row["items"]] for row in second["rows"]] == [
        [5, 6, 7, 8],
        [4, 5, 6],
        [3, 4],
    ]
    kept = [row["recommendation_id"] for page in (first, second) for row in page["rows"]]
    assert len(set(kept)) == 6
    assert {row["model_version"] for row in first["rows"]} == {"v1"}


def test_the_first_row_is_the_list_itself_and_a_dry_run_keeps_nothing(post, client):
    page = post(user_id="p4", rows=[{"k": 5}, {"k": 5}], dry_run=True)
    plain = client.get("/v1/recommendations", params={"user_id": "p4", "k": 10}).json()

    assert ids(page) == [item["id"] for item in plain["items"]]
    assert all("recommendation_id" not in row for row in page["rows"])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"user_id": "p1", "rows": []}, "body.rows"),
        ({"user_id": "p1", "rows": [{}] * 21}, "body.rows"),
        ({"rows": [{}]}, "body.user_id"),
        ({"user_id": "p1", "rows": [{}, {"filter": "year = x"}]}, "body.rows.1.filter"),
        ({"user_id": "p1", "rows": [{}, {"cursor": "nothing"}]}, "body.rows.1.cursor"),
        ({"user_id": "p1", "rows": [{"limit": 3}]}, "body.rows.0.limit"),
        ({"user_id": "p1", "rows": [{}], "k": 3}, "body.k"),
    ],
)
def test_what_is_not_understood_is_refused_by_its_place(post, body, field):
    assert post(422, **body)["errors"][0]["field"] == field
