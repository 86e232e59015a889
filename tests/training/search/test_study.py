"""A search is found again as it was, goes on as if it had not been cut, and keeps to its budget."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock
from optuna.distributions import FloatDistribution, IntDistribution

from training.errors import DivergedError
from training.running.loop import Progress, silent
from training.search.study import COMPARED, Study, StudyError, Tried

ROOT = Path(__file__).parents[3]


class Hill:
    """The nearer to 3 the better, told over eight epochs; each attempt takes `seconds`."""

    def __init__(self, seconds: float = 0.0, top: int = 3):
        self.seconds, self.about = seconds, {"top": top}
        self.distributions, self.start = {"x": FloatDistribution(0, 10)}, {"x": 9.0}

    def attempt(self, values, report) -> Tried:
        """Worth nothing at first, then what `x` is worth."""
        worth = 1 - abs(values["x"] - 3) / 10
        for epoch in range(1, 9):
            time.sleep(self.seconds / 8)
            report(Progress("trial", epoch, 8, {"ndcg": worth * epoch / 8}))
        return Tried(worth, 8)


class Killer(Hill):
    """Ends its process in the middle of the trial of this number."""

    def __init__(self, at: int):
        super().__init__()
        self.left = at

    def attempt(self, values, report) -> Tried:
        """As a kill -9 would."""
        if not self.left:
            report(Progress("trial", 1, 8, {"ndcg": 0.1}))
            os._exit(9)
        self.left -= 1
        return super().attempt(values, report)


@dataclass
class Found:
    """What a search left."""

    rows: list[dict]
    best: dict | None
    best_value: float | None
    seconds: float

    @property
    def settings(self) -> list[tuple]:
        """What does not depend on the clock."""
        return [(row["x"], row["ndcg"], row["outcome"]) for row in self.rows]


def search(directory: Path, subject, *, minutes=10.0, most=None, report=silent) -> Found:
    """Run to the end."""
    with Study.open(directory, subject, seed=5) as study:
        for _ in study.run(minutes, most, report):
            pass
        return Found(study.rows(), study.best, study.best_value, study.seconds)


def killed(directory: Path, at: int) -> None:
    """A process that searches here and is gone in the middle of trial `at`."""
    code = (
        "from pathlib import Path; from tests.training.search.test_study import Killer, search\n"
        f"search(Path({str(directory)!r}), Killer({at}), most=12)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=300, check=False)
    assert done.returncode == 9


def test_the_start_is_tried_first_and_the_best_is_nearer(tmp_path):
    found = search(tmp_path, Hill(), most=12)

    rows = found.rows
    assert rows[0]["x"] == 9.0
    assert abs(found.best["x"] - 3) < 1
    assert found.best_value == max(row["ndcg"] for row in rows)
    assert {row["outcome"] for row in rows[COMPARED:]} == {"finished", "pruned"}


def test_a_killed_search_goes_on_as_if_it_had_not_been(tmp_path):
    whole = search(tmp_path / "whole", Hill(), most=9).settings
    killed(tmp_path / "cut", at=4)

    resumed = search(tmp_path / "cut", Hill(), most=10).settings

    assert [row for row in resumed if row[2] != "killed"] == whole
    assert [row[0] for row in resumed if row[2] == "killed"] == [whole[4][0]]


def test_what_kills_its_process_twice_is_not_tried_a_third_time(tmp_path):
    for _ in range(2):
        killed(tmp_path, at=0)

    rows = search(tmp_path, Hill(), most=3).rows

    assert [(row["x"], row["outcome"]) for row in rows[:2]] == [(9.0, "killed")] * 2
    assert rows[2]["x"] != 9.0


def test_a_finished_search_started_again_tries_nothing(tmp_path):
    first = search(tmp_path, Hill(), most=3).rows
    told: list[Progress] = []

    again = search(tmp_path, Hill(), most=3, report=told.append).rows

    assert again == first
    assert [(step.done, step.total) for step in told] == [(600, 600)]


def test_the_budget_cuts_the_last_trial_and_counts_what_earlier_processes_spent(tmp_path):
    study = search(tmp_path, Hill(seconds=1.0), minutes=1.5 / 60)

    assert study.seconds > 1.4
    assert study.rows[-1]["outcome"] == "cut by the budget"
    assert len(search(tmp_path, Hill(seconds=1.0), minutes=1.5 / 60).rows) == len(study.rows)


def test_without_any_budget_the_first_trial_has_its_first_validation(tmp_path):
    study = search(tmp_path, Hill(), minutes=0)

    (row,) = study.rows
    assert (row["outcome"], row["epochs"]) == ("cut by the budget", 1)
    assert study.best == {"x": 9.0}


def test_a_trial_that_diverges_is_noted_and_the_search_goes_on(tmp_path):
    class Cliff(Hill):
        """Nothing but the first two can be tried."""

        def attempt(self, values, report) -> Tried:
            """Diverges beyond 9."""
            if values["x"] >= 9:
                raise DivergedError("the loss became nan")
            return super().attempt(values, report)

    study = search(tmp_path, Cliff(), most=3)

    assert study.rows[0]["outcome"] == "diverged: the loss became nan"
    assert study.best["x"] < 9


def test_where_everything_was_tried_it_ends(tmp_path):
    class Few(Hill):
        """Two settings."""

        def __init__(self):
            super().__init__()
            self.distributions, self.start = {"x": IntDistribution(2, 3)}, {"x": 2}

    assert {row["x"] for row in search(tmp_path, Few()).rows} == {2, 3}


def test_a_directory_of_another_search_is_refused_with_the_difference(tmp_path):
    search(tmp_path, Hill(), most=1)

    with pytest.raises(StudyError, match=r"something else \(top 3, not 4\): name another"):
        search(tmp_path, Hill(top=4), most=1)


def test_a_directory_in_which_another_process_searches_is_refused(tmp_path):
    with FileLock(tmp_path / "lock"), pytest.raises(StudyError, match="another process"):
        search(tmp_path, Hill(), most=1)
