import json

import pytest

from benchmarks.figures import show


@pytest.mark.parametrize(("reference", "ratio"), [(None, None), (0.0, None), (0.25, 2.0)])
def test_a_figure_is_told_beside_its_reference(capsys, reference, ratio):
    show("accuracy.recall@20", 0.5, "recall", reference, seed=1)

    told = json.loads(capsys.readouterr().out)
    assert told == {
        "name": "accuracy.recall@20",
        "value": 0.5,
        "unit": "recall",
        "reference": reference,
        "ratio": ratio,
        "seed": 1,
    }
