import json
import sys

import numpy as np
import pytest

from benchmarks import accuracy


@pytest.fixture
def files(tmp_path):
    """40 people of two tastes of 15 items each; of each person's ten items two are asked for."""
    generator = np.random.default_rng(1)
    paths = tmp_path / "train.txt", tmp_path / "test.txt"
    with paths[0].open("w") as train, paths[1].open("w") as test:
        for user in range(40):
            items = [f"i{item + 15 * (user % 2)}" for item in generator.permutation(15)[:10]]
            train.write(" ".join([f"u{user}", *items[:8]]) + "\n")
            test.write(" ".join([f"u{user}", *items[8:]]) + "\n")
    return paths


def test_figures_of_what_serves_stand_beside_the_baselines(files, monkeypatch, capsys):
    given = [str(path) for path in files]
    monkeypatch.setattr(sys, "argv", ["accuracy", *given, "--k", "5", "--minutes", "0.05"])

    accuracy.main()

    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    value = {row["name"]: row["value"] for row in printed}
    for model in ("", "untruncated.", "lightgcn.", "popularity.", "itemknn.", "ease."):
        assert 0 < value[f"accuracy.{model}ndcg@5"] <= 1
        assert 0 < value[f"accuracy.{model}recall@5"] <= 1
    assert value["accuracy.recall@5"] > value["accuracy.popularity.recall@5"]
    [chosen] = [row for row in printed if row["name"] == "accuracy.chosen"]
    assert "lightgcn" in chosen["settings"]
    assert value["accuracy.seconds"] > 0
    assert value["accuracy.rss"] > 50


def test_a_file_that_is_not_there_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["accuracy", str(tmp_path / "no.txt"), str(tmp_path)])

    with pytest.raises(SystemExit, match=r"no.txt cannot be read"):
        accuracy.main()
