"""Sentences and tables say what the figures say, and which settings were chosen."""

import pytest

from tests.training.report.subjects import judged, judgement, model
from training.report import wording


def test_the_headline_names_people_split_figure_and_interval():
    first, *rest = wording.headline(judgement(0.3), "ndcg@5")

    assert first == (
        "On 1,234 people (latest tenth of each user) default reaches ndcg@5"
        " 0.3050 (0.2745 to 0.3660); in brackets 95 % intervals."
    )
    assert rest == [
        "default is better than popularity: ndcg@5 differs by 0.2000 (0.1500 to 0.2500),"
        " p = 0.2000.",
        "default is not surely different from ease: ndcg@5 differs by 0.0100 (-0.0400 to 0.0600),"
        " p = 0.2000.",
    ]


def test_a_worse_model_is_called_worse():
    assert wording.headline(judgement(0.02), "ndcg@5")[1].startswith(
        "default is worse than popularity"
    )


@pytest.mark.parametrize(("p", "said"), [(0.00049, "p < 0.0005"), (0.0312, "p = 0.0312")])
def test_a_chance_is_not_told_finer_than_it_was_measured(p, said):
    assert wording.chance(p) == said


def test_a_metric_that_one_model_lacks_is_left_empty():
    models = {"a": judged("a", 0.3), "b": judged("b", 0.1).model_copy(update={"metrics": {}})}
    table = wording.metrics_table(models)

    assert list(table.columns) == ["metric", "a", "b"]
    assert table.rows[0] == ["precision@5", "0.3050 (0.2745 to 0.3660)", None]


def test_settings_go_by_their_paths():
    found = wording.settings(model("m"))

    assert found["training.loss.temperature"] == 0.2
    assert (found["score.seed"], found["score.blend"]) == (3, 0.8)


def test_trials_say_what_became_of_them():
    rows = wording.trials_table(model("m")).rows

    assert [row[-1] for row in rows] == [
        "chosen",
        "rejected",
        "chosen",
        "refused: more than 9 items",
    ]
    assert rows[0][1] == (
        "model lightgcn, hops 2, loss.name in_batch_softmax, loss.temperature 0.2"
    )


def test_trials_of_a_search_say_how_they_ended():
    searched = {"model": "lightgcn", "loss": "in_batch_softmax", "epochs": 4}
    tried = [
        {**searched, "model.hops": 2, "loss.temperature": 0.2, "ndcg": 0.3, "outcome": "finished"},
        {**searched, "model.hops": 1, "loss.temperature": 0.2, "ndcg": None, "outcome": "pruned"},
        {**searched, "model.hops": 3, "loss.temperature": 0.2, "ndcg": 0.1, "outcome": "finished"},
    ]
    rows = wording.trials_table(model("m", trials=tried)).rows

    assert [row[-1] for row in rows] == ["chosen", "rejected, pruned", "rejected"]


@pytest.mark.parametrize(
    ("trial", "chosen"),
    [
        ({"model": "blend", "reg": 500.0, "truncation": 100, "blend": 0.8001}, True),
        ({"model": "blend", "reg": 500.0, "truncation": 50, "blend": 0.8}, False),
        ({"model": "gat", "hops": 2, "epochs": 3}, False),
        ({"model": "lightgcn", "hops": 2, "epochs": 3, "ndcg": 0.1}, True),
    ],
)
def test_a_trial_is_chosen_if_the_recipe_has_its_settings(trial, chosen):
    assert wording.is_chosen(trial, model("m").recipe) is chosen


def test_groups_say_their_size_and_share():
    rows = wording.groups_table(judged("default", 0.3), "ndcg@5").rows

    assert rows[1] == ["item.popularity", "3 to 9", 4, 0.9, 0.3]
    assert rows[2] == ["user.age", "18 to 30", 40, 0.8, 0.3]
