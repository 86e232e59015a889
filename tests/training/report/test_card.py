"""The card says what the artifact is, what it was shown to do, and what it was not."""

import pytest

from tests.training.report.subjects import judged, judgement, write_subject
from training.report.card import card
from training.report.page import markdown_page
from training.report.subject import read_subject


def text(directory, found=None) -> str:
    subject = read_subject(write_subject(directory, found))
    return markdown_page("Card", [], card(subject.artifact, subject.judgement))


def test_every_part_of_a_card_is_there(tmp_path):
    said = text(tmp_path / "m1")

    headings = [line[3:] for line in said.splitlines() if line.startswith("## ")]
    assert headings == [
        *("Model", "Intended use", "Data", "How well", "For whom", "Limits", "Privacy"),
    ]
    assert "| model | lightgcn |" in said
    assert "| people | 7 |" in said and "| items | 9 |" in said
    assert "cosine of 4 dimensions, plus 0.8 × the item–item weights" in said
    assert "| popularity | 0.1050 (0.0945 to 0.1260) |" in said


def test_baselines_that_are_not_beaten_are_among_the_limits(tmp_path):
    limits = text(tmp_path / "m1").partition("## Limits")[2]

    assert "not shown to be better than ease on this data: ndcg@5 differs by 0.0100" in limits
    assert "better than popularity" not in limits
    assert "Items with fewer than 5 entries are found with ndcg@5 0.0750" in limits


def test_the_groups_furthest_apart_are_named(tmp_path):
    said = text(tmp_path / "m1")

    assert "By user.age, ndcg@5 goes from 0.1500 ((none)) to 0.3000 (18 to 30)." in said


def test_groups_of_few_people_are_not_compared(tmp_path):
    one = judged("default", 0.3)
    small = {"user.age": {"a": {"users": 3, "ndcg@5": 0.1}, "b": {"users": 90, "ndcg@5": 0.3}}}
    found = judgement(models=[one.model_copy(update={"groups": small})])

    assert "goes from" not in text(tmp_path / "m1", found)


@pytest.mark.parametrize("name", ["<script>x</script>", "a|b", "[x](javascript:y)"])
def test_values_of_groups_are_text(tmp_path, name):
    said = text(tmp_path / "m1", judgement(models=[judged("default", 0.3, people=f"user.{name}")]))

    assert "<script>" not in said and "[x](" not in said and "a|b" not in said
