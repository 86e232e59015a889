"""Two artifacts are compared person by person where they were tested alike, else it is said why
not."""

import re

import numpy as np
import pytest

from tests.training.report.pages import read_page
from tests.training.report.subjects import judged, judgement, people, write_subject
from training.judging.intervals import permutation_p
from training.report.comparison import Comparison, write_comparison


def compared(tmp_path, second, **changed) -> Comparison:
    """`m1` against `m2`, which is judged `second`."""
    a = write_subject(tmp_path / "m1", judgement(0.3))
    b = write_subject(tmp_path / "m2", second, **changed)
    return write_comparison(a, b, tmp_path / "page.html")


def test_the_better_model_is_named_with_the_paired_test(tmp_path):
    done = compared(tmp_path, judgement(0.25))

    page = read_page(done.page)
    expected = permutation_p((people(0.3) - people(0.25))[:, None], seed=1)[0]
    assert [pair.metric for pair in done.paired] == ["ndcg@5", "ndcg@10"]
    assert done.paired[0].p == pytest.approx(expected)
    assert done.paired[0].difference.value == pytest.approx(0.05)
    assert done.said[0].startswith("m1 is better than m2: ndcg@5 differs by 0.0500")
    assert done.said[0] in page.words
    assert [bar.name for bar in page.figures[0].data] == ["m1", "m2", "popularity", "ease"]


def test_differences_are_person_by_person(tmp_path):
    values = people(0.3)
    shuffled = np.random.default_rng(0).permutation(values)
    same = compared(tmp_path / "a", judgement(0.3))
    mixed = compared(tmp_path / "b", judgement(0.3, each={"ndcg@5": shuffled.tolist()}))

    assert same.paired[0].difference.low == same.paired[0].difference.high == 0
    assert mixed.paired[0].difference.value == pytest.approx(0)
    assert mixed.paired[0].difference.high > 0.005
    assert "m1 is not surely different from m2" in mixed.said[0]


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"split": "by time"}, "one was tested on 'latest tenth of each user', the other on 'by"),
        ({"tested": "other", "seed": 2}, r"but not the same people .* \(seeds 1 and 2\)"),
        ({"tested": ""}, "does not say who was tested; evaluate both again"),
        (
            {"each": {"ndcg@20": [0.5]}, "cutoffs": [20]},
            r"judged at \[5, 10\], the other at \[20\]",
        ),
    ],
)
def test_what_was_not_tested_alike_is_not_compared_and_says_why(tmp_path, changed, why):
    models = [judged("default", 0.9)]
    if "cutoffs" in changed:
        one = models[0]
        metrics = {"ndcg@20": one.metrics["ndcg@5"]}
        models = [one.model_copy(update={"metrics": metrics})]
    done = compared(tmp_path, judgement(0.9, models=models, paired=[], **changed))

    page = read_page(done.page)
    assert done.paired == []
    (said,) = done.said
    assert said.startswith("Not comparable: ") and said in page.words
    assert re.search(why, said)
    assert {"Figures of m1", "Figures of m2", "Settings that differ"} <= set(page.words)
    # Neither bars nor differences of one beside the other: learning curves only.
    assert len(page.figures) == 1


def test_settings_that_differ_are_told_and_no_others(tmp_path):
    recipe = {"model": {"name": "gat", "hops": 2}, "training": {"learning_rate": 0.05}}
    page = read_page(compared(tmp_path, judgement(), recipe=recipe).page)

    after = page.words[page.words.index("Settings that differ", 20) :]
    assert {"model.name", "lightgcn", "gat", "training.learning_rate", "0.05"} <= set(after)
    assert {"model.hops", "score.similarity"}.isdisjoint(after)


def test_an_artifact_and_itself_are_told_apart_and_differ_in_nothing(tmp_path):
    m1 = write_subject(tmp_path / "m1")
    done = write_comparison(m1, m1, tmp_path / "page.html")

    assert done.said[0].startswith("m1 (first) is not surely different from m1 (second)")
    assert "All settings are the same." in read_page(done.page).words


def test_hostile_names_stay_text(tmp_path):
    a = write_subject(tmp_path / "m1", id="<img src=x onerror=alert(1)>")
    b = write_subject(tmp_path / "m2", id="<script>alert(1)</script>")
    page = read_page(write_comparison(a, b, tmp_path / "page.html").page)

    assert "img" not in page.tags and len(page.scripts) == 2
    names = {trace.name for figure in page.figures for trace in figure.data}
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in names
