"""A recipe judged again: by every split, beside another, and never told what is asked for."""

import numpy as np
import pyarrow as pa
import pytest

from graphdb.snapshot import EDGES
from tests.training.recipes import IGNORANT, QUICK
from training.errors import EmptySplitError, SettingError, UnknownPropertyError
from training.judging.retrial import RetrialConfig, judge_again
from training.splits import NAMES
from training.train import train


@pytest.fixture
def rows() -> list[tuple[int, int, float, int]]:
    """60 users of two tastes, 40 items."""
    generator = np.random.default_rng(1)
    return [
        (user, int(item) * 2 + user % 2, 1.0, int(at))
        for user in range(60)
        for item, at in zip(generator.integers(0, 20, 12), generator.permutation(12), strict=True)
    ]


@pytest.fixture
def snapshot(rows, make_snapshot):
    """The rows, and four genres."""
    genres = pa.table(
        {
            "from_kind": ["item"] * 40,
            "from": range(40),
            "to_kind": ["Genre"] * 40,
            "to": [None] * 40,
            "node": [f"g{item % 4}" for item in range(40)],
        },
        EDGES,
    )
    return make_snapshot(rows, 60, 40, edges={"HAS_GENRE": genres})


@pytest.fixture
def artifact(snapshot, tmp_path):
    train(snapshot, tmp_path / "m1", config=QUICK)
    return tmp_path / "m1"


@pytest.mark.parametrize("kind", NAMES)
def test_every_split_judges_the_recipe_beside_the_baselines(kind, artifact, snapshot):
    found = judge_again(artifact, snapshot, RetrialConfig(split=kind, share=0.2, cutoffs=(5,)))

    names = {judged.name for judged in found.models}
    assert names >= {"default", "lightgcn", "popularity", "ease", "itemknn"}
    assert found.users > 0
    better = found.model("default").metrics["ndcg@5"].value
    assert better > found.model("popularity").metrics["ndcg@5"].value


def test_a_worse_recipe_is_told_apart_by_the_paired_test(artifact, snapshot, tmp_path):
    train(snapshot, tmp_path / "m2", config=IGNORANT)

    found = judge_again(artifact, snapshot, RetrialConfig(share=0.2), against=[tmp_path / "m2"])

    (pair,) = [p for p in found.paired if (p.second, p.metric) == ("m2", "ndcg@10")]
    assert pair.difference.low > 0
    assert pair.p < 0.01


def test_pairs_of_a_file_are_what_is_asked_for(artifact, snapshot, rows, tmp_path):
    asked = [(user, item) for user, item, _, _ in (rows[0], rows[1], rows[13])]
    met = {item for user, item, _, _ in rows if user == 5}
    never = (5, next(item for item in range(40) if item not in met))
    lines = [f"u{user},i{item}\n" for user, item in (*asked, never)]
    (tmp_path / "test.csv").write_text("".join(["user,item\n", *lines]))

    found = judge_again(artifact, snapshot, RetrialConfig(given=tmp_path / "test.csv"))

    assert (found.split, found.users) == ("given files", 2)


def test_groups_are_by_any_property(artifact, snapshot):
    found = judge_again(artifact, snapshot, RetrialConfig(groups=("Genre",)))

    assert set(found.model("default").groups["item.Genre"]) == {"g0", "g1", "g2", "g3"}


@pytest.mark.parametrize(
    ("config", "error", "sentence"),
    [
        (RetrialConfig(split="monday"), SettingError, "no split 'monday': expected one of latest,"),
        (RetrialConfig(groups=("colour",)), UnknownPropertyError, "expected one of item.Genre"),
        (RetrialConfig(share=0.001), EmptySplitError, "no positive event to ask for"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_anything_is_fitted(
    config, error, sentence, artifact, snapshot
):
    told = []

    with pytest.raises(error, match=sentence):
        judge_again(artifact, snapshot, config, report=told.append)

    assert told == []
