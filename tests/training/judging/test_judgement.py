"""The judgement's file: what is written is read, what is not one is refused by name."""

import json
from pathlib import Path

import pytest

from training.judging.judgement import (
    Interval,
    Judged,
    Judgement,
    JudgementError,
    Paired,
    read_judgement,
    write_judgement,
)

FIGURE = Interval(value=0.3, low=0.2, high=0.4)
JUDGEMENT = Judgement(
    split="latest tenth of each user",
    seed=1,
    cutoffs=[10],
    users=3,
    models=[
        Judged(
            name="default",
            metrics={"ndcg@10": FIGURE},
            cold={"ndcg@10": FIGURE},
            groups={"user.age": {"18 to 30": {"share": 0.5, "ndcg@10": 0.3}}},
        ),
        Judged(name="popularity", metrics={"ndcg@10": FIGURE}),
    ],
    paired=[
        Paired(first="default", second="popularity", metric="ndcg@10", difference=FIGURE, p=0.01)
    ],
)


def test_what_is_written_is_read_by_directory_and_by_file(tmp_path: Path):
    write_judgement(tmp_path / "judgement.json", JUDGEMENT)

    assert read_judgement(tmp_path) == JUDGEMENT
    assert read_judgement(tmp_path / "judgement.json") == JUDGEMENT
    assert [path.name for path in tmp_path.iterdir()] == ["judgement.json"]
    assert read_judgement(tmp_path).model("popularity").metrics["ndcg@10"].value == 0.3


def test_a_model_that_was_not_judged_is_refused_with_those_that_were():
    with pytest.raises(JudgementError, match=r"'ease' was judged: .* default, popularity"):
        JUDGEMENT.model("ease")


def test_a_missing_file_is_refused_by_name(tmp_path: Path):
    with pytest.raises(JudgementError, match=r"there is no .*judgement\.json"):
        read_judgement(tmp_path)


@pytest.mark.parametrize("kept", [0, 1, 40, -3])
def test_a_file_that_is_cut_is_refused_by_name(tmp_path: Path, kept: int):
    file = tmp_path / "judgement.json"
    write_judgement(file, JUDGEMENT)
    file.write_bytes(file.read_bytes()[:kept])

    with pytest.raises(JudgementError, match=r"judgement\.json: "):
        read_judgement(tmp_path)


def test_another_schema_version_is_refused(tmp_path: Path):
    content = json.loads(JUDGEMENT.model_dump_json()) | {"schema_version": 2}
    (tmp_path / "judgement.json").write_text(json.dumps(content))

    with pytest.raises(JudgementError, match="schema_version is 2, this program reads 1"):
        read_judgement(tmp_path)
