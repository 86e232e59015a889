"""Figures hold what the judgement says, each model under its label and in its order."""

import numpy as np
import pytest

from tests.hostile import HOSTILE
from tests.training.report.subjects import ITEMS, judged, model
from training.report import figures
from training.report.embedding_map import Plane

MODELS = {"default": judged("default", 0.3), "<i>other": judged("popularity", 0.1)}
NAMES = ["default", "&lt;i&gt;other"]


def test_bars_have_the_ends_of_their_intervals():
    bars = figures.metric_bars(MODELS, 5).data

    assert [bar.name for bar in bars] == NAMES
    assert list(bars[0].x) == ["precision", "recall", "ndcg"]
    assert bars[0].y[0] == pytest.approx(0.305)
    assert bars[0].y[0] + bars[0].error_y.array[0] == pytest.approx(0.305 * 1.2)
    assert bars[0].y[0] - bars[0].error_y.arrayminus[0] == pytest.approx(0.305 * 0.9)


def test_the_curve_has_loss_and_validation_apart():
    loss, ndcg = figures.learning_curves({"m": model("m").curve}).data

    assert (list(loss.x), list(loss.y)) == ([1, 2], [5.5, 4.25])
    assert (list(ndcg.x), list(ndcg.y)) == ([2], [0.31])
    assert loss.xaxis != ndcg.xaxis


def test_a_curve_without_validation_is_its_loss():
    (loss,) = figures.learning_curves({"m": [{"epoch": 1, "loss": 2.0}]}).data

    assert list(loss.y) == [2.0]


def test_bands_of_popularity_stand_in_their_order_though_one_has_no_figure():
    recall = figures.by_popularity(MODELS, "recall@5")
    shares = figures.shares_by_popularity(MODELS, 5)

    assert list(recall.layout.xaxis.categoryarray) == ["0 to 2", "3 to 9"]
    assert [(list(line.x), list(line.y)) for line in recall.data] == [
        (["3 to 9"], [0.3]),
        (["3 to 9"], [0.1]),
    ]
    assert [bars.name for bars in shares.data] == [
        "catalogue",
        "chosen",
        *(f"listed by {name}" for name in NAMES),
    ]
    assert list(shares.data[2].y) == [0.1, 0.9]


def test_each_figure_beyond_accuracy_has_its_own_scale():
    found = figures.beyond_accuracy(MODELS, 5)

    assert len({bar.xaxis for bar in found.data}) == 3
    assert [note.text.partition(":")[0] for note in found.layout.annotations] == [
        "coverage",
        "Gini",
        "novelty",
    ]


def test_warm_and_cold_are_items_and_people():
    bars = figures.warm_and_cold(MODELS, "ndcg@5").data

    assert list(bars[0].x) == ["warm items", "cold items", "warm people"]
    assert list(bars[0].y) == [0.3, 0.075, 0.3]


def test_groups_of_people_have_a_dot_a_model():
    dots = figures.people_groups(MODELS, "ndcg@5").data

    assert list(dots[0].y) == ["age: 18 to 30", "age: (none)"] == list(dots[1].y)
    assert list(dots[1].x) == [0.1, 0.05]


def test_trials_are_dots_by_model_and_those_refused_are_none():
    found = figures.trials(model("m").trials, ["a", "b", "<c>", "d"]).data

    assert [(dots.name, list(dots.x)) for dots in found] == [("lightgcn", [1, 2]), ("ease", [3])]
    assert list(found[1].text) == ["&lt;c&gt;"]


def test_every_item_of_the_map_has_its_title_and_its_weight():
    places = np.arange(2 * ITEMS).reshape(ITEMS, 2)
    titles = [HOSTILE["html"]] * ITEMS
    dots = figures.item_map(Plane(np.arange(ITEMS), places, "all"), titles, range(ITEMS)).data[0]

    assert (list(dots.x), list(dots.y)) == (list(places[:, 0]), list(places[:, 1]))
    assert set(dots.text) == {
        "&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;&amp;amp;"
    }
    assert list(dots.customdata) == list(range(ITEMS))
    assert list(dots.marker.color) == sorted(dots.marker.color)
