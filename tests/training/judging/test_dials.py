"""What a dial costs: nothing at 0, more the further it is turned, on the lists that are served."""

import numpy as np
import pyarrow as pa
import pytest

from graphdb.snapshot import EDGES, read_snapshot
from tests.training.recipes import QUICK
from training.errors import SettingError, UnknownPropertyError
from training.judging.dials import ItemKinds, Kinds, read_dials
from training.judging.retrial import RetrialConfig, judge_again
from training.train import train

PEOPLE, ITEMS, K = 60, 130, 5
KINDS = Kinds(categories="item.Genre", makers="item.Studio", groups={"small": ["s0", "s1"]})
DIALS = (
    "diversity=0,1",
    "novelty=0.5",
    "calibration=1",
    "rotation=0.5",
    "min_relevance=0.9",
    "exposure=small:0.4",
)


@pytest.fixture
def snapshot(make_snapshot):
    """People of two tastes; of the items each has one of four genres and of thirty studios."""
    print("seed 1")
    generator = np.random.default_rng(1)
    rows = [
        (user, int(item) * 2 + user % 2, 1.0, int(at))
        for user in range(PEOPLE)
        for item, at in zip(generator.permutation(ITEMS // 2)[:12], range(12), strict=True)
    ]

    def attached(label: str, names: list[str]) -> pa.Table:
        columns = {"from_kind": ["item"] * ITEMS, "from": range(ITEMS), "to_kind": [label] * ITEMS}
        return pa.table(columns | {"to": [None] * ITEMS, "node": names}, EDGES)

    studios = attached("Studio", [f"s{item % 30}" for item in range(ITEMS)])
    genres = attached("Genre", [f"g{item % 4}" for item in range(ITEMS)])
    return make_snapshot(rows, PEOPLE, ITEMS, edges={"HAS_GENRE": genres, "MADE_BY": studios})


def test_each_dial_costs_and_buys_what_its_lists_do(snapshot, tmp_path):
    train(snapshot, tmp_path / "m1", config=QUICK)
    config = RetrialConfig(share=0.2, cutoffs=(K, 10), dials=DIALS, kinds=KINDS)

    judgement = judge_again(tmp_path / "m1", snapshot, config)

    found = {f"{d.dial}={d.value}": d for d in judgement.dials}
    assert list(found) == ["diversity=0", "diversity=1", *DIALS[1:]]
    for one in judgement.dials:
        assert (one.cutoff, one.users) == (K, PEOPLE)
        assert one.cost.low <= one.cost.value <= one.cost.high
    nothing = found["diversity=0"]
    whole = judgement.model("default").metrics[f"ndcg@{K}"].value
    assert nothing.ndcg.value == pytest.approx(whole, abs=1e-6)
    assert (nothing.cost.value, nothing.p, nothing.before) == (0, 1, nothing.after)
    assert found["diversity=1"].after > found["diversity=1"].before
    assert found["diversity=1"].cost.value > 0
    assert found["novelty=0.5"].after > found["novelty=0.5"].before
    assert found["calibration=1"].after < found["calibration=1"].before
    assert found["rotation=0.5"].after > found["rotation=0.5"].before == 0
    exposed = found["exposure=small:0.4"]
    assert exposed.bought == "share of small"
    assert exposed.before < 0.4
    assert exposed.after == pytest.approx(0.4)


def test_a_dial_that_is_not_there_is_refused_with_the_list():
    with pytest.raises(SettingError, match="no dial 'spice': expected one of diversity, novelty,"):
        read_dials(["spice=1"])
    with pytest.raises(SettingError, match="at least 0 and at most 1"):
        read_dials(["diversity=0,2"])


@pytest.mark.parametrize(
    ("dial", "kinds", "error", "said"),
    [
        ("calibration=1", Kinds(), SettingError, r"no field in item\.categories"),
        ("exposure=small:1", Kinds(), SettingError, r"no field in item\.makers"),
        ("exposure=big:1", KINDS, SettingError, "no group 'big': expected one of small"),
        ("calibration=1", Kinds(categories="item.Mood"), UnknownPropertyError, "item.Genre"),
    ],
)
def test_what_a_dial_needs_is_named(dial, kinds, error, said, snapshot):
    with pytest.raises(error, match=said):
        ItemKinds.of(read_snapshot(snapshot), kinds, read_dials([dial]))


def test_all_makers_of_a_group_count_however_many_makers_there_are(snapshot):
    found = ItemKinds.of(read_snapshot(snapshot), KINDS, read_dials(["exposure=small:1"]))

    assert np.flatnonzero(found.groups["small"]).tolist() == [
        item for item in range(ITEMS) if item % 30 in (0, 1)
    ]
