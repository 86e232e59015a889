"""The shipped example: the same bytes by seed, of the promised size, with something to learn."""

import itertools
import json
from collections import Counter
from datetime import UTC, datetime

import numpy as np
import pytest

from ingest.catalogue import read_items, read_users
from ingest.datasets.dataset import Dataset
from ingest.datasets.generator import generate
from ingest.event import read_events


@pytest.fixture(scope="module")
def example() -> Dataset:
    return generate()


def as_bytes(dataset: Dataset) -> bytes:
    return json.dumps([dataset.items, dataset.users, list(dataset.events)]).encode()


def test_one_seed_gives_one_data_set_and_another_gives_another(example):
    assert as_bytes(generate()) == as_bytes(example)
    assert as_bytes(generate(8)) != as_bytes(example)


def test_it_has_the_promised_size_over_a_year_and_says_that_it_is_generated(example):
    assert len(example.items) >= 600
    assert len(example.users) >= 1200
    assert len(example.events) >= 70_000
    places = [(event["user_id"], event["occurred_at"]) for event in example.events]
    assert all(before <= after for before, after in itertools.pairwise(places))
    days = {datetime.fromtimestamp(at, UTC).date().isoformat() for _, at in places}
    assert (min(days), max(days)) == ("2025-01-01", "2025-12-31")
    assert "generated" in example.description


def test_every_row_is_valid_in_its_domain(example, domain):
    batch = read_events(domain, list(example.events), datetime(2026, 1, 1, tzinfo=UTC))
    assert len(batch.rows) == len(example.events)
    assert len(read_items(domain, example.items).rows) == len(example.items)
    assert len(read_users(domain, example.users).rows) == len(example.users)


def test_titles_and_overviews_vary_and_nobody_watches_twice_or_before_the_release(example):
    fields = {item["id"]: item["fields"] for item in example.items}
    assert len({f["title"] for f in fields.values()}) == len(fields)
    assert len({f["overview"] for f in fields.values()}) > 0.99 * len(fields)
    watched = [e for e in example.events if e["event_type"] == "watched"]
    assert len({(e["user_id"], e["item_id"]) for e in watched}) == len(watched)
    stars = Counter(e["value"] for e in example.events if e["event_type"] == "rated")
    assert set(stars) == {1.0, 2.0, 3.0, 4.0, 5.0}
    new = {n for n, f in fields.items() if f["year"] == 2025}
    first = {e["item_id"]: e["occurred_at"] for e in reversed(watched)}
    assert np.median([first[n] for n in new]) > np.median([first[n] for n in fields])


def test_popularity_is_skewed_and_neighbours_know_more_than_popularity(example):
    watched = watch_matrix(example)
    counts = np.sort(watched.sum(0))[::-1]
    assert counts[: len(counts) // 10].sum() > 0.25 * counts.sum()
    rng = np.random.default_rng(0)
    held = watched * (rng.random(watched.shape) < 0.25)
    kept = watched - held
    gram = kept.T @ kept
    inverse = np.linalg.inv(gram + 300 * np.eye(len(gram)))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    popularity = np.broadcast_to(kept.sum(0), kept.shape)
    assert recall(kept @ weights, kept, held) > 2 * recall(popularity, kept, held)


def watch_matrix(example: Dataset) -> np.ndarray:
    users = {user["id"]: n for n, user in enumerate(example.users)}
    items = {item["id"]: n for n, item in enumerate(example.items)}
    watched = np.zeros((len(users), len(items)))
    for event in example.events:
        watched[users[event["user_id"]], items[event["item_id"]]] = 1
    return watched


def recall(scores: np.ndarray, kept: np.ndarray, held: np.ndarray) -> float:
    top = np.argsort(-np.where(kept > 0, -np.inf, scores), axis=1)[:, :10]
    return float(np.take_along_axis(held, top, axis=1).sum() / np.minimum(held.sum(1), 10).sum())
