"""A search of settings by Optuna that a killed process takes up again; a directory each.

It knows numbers for settings and what an attempt is worth; neither models nor data.

    study.db    every trial with its settings and validations, by Optuna (SQLite: a process killed
                in the middle of a write leaves the last whole state)
    lock        held while a process searches here
"""

import json
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import optuna
from filelock import FileLock, Timeout
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState

from training.errors import DivergedError, TrainingError
from training.running.loop import Progress, Report, silent

STEP = "search"
RANDOM_TRIALS = 6
"""Drawn at random before TPE (Bergstra et al. 2011) looks at what they were worth."""
COMPARED = 4
"""A trial is pruned against the median of at least so many."""
WARM_UP = 4
"""Epochs that every trial is given before it may be pruned: slow starts are no bad ends."""


class StudyError(TrainingError):
    """A study's directory that holds another search, or in which a process is searching."""


@dataclass(frozen=True)
class Tried:
    """What an attempt came to: its best validation, after `epochs` where it has any."""

    value: float
    epochs: int | None = None


class Subject(Protocol):
    """What is searched."""

    @property
    def about(self) -> dict[str, Any]:
        """Everything but the settings drawn that a trial's worth depends on, as JSON has it."""

    @property
    def distributions(self) -> Mapping[str, BaseDistribution]:
        """What may be tried, by setting."""

    @property
    def start(self) -> Mapping[str, Any]:
        """What is tried first."""

    def attempt(self, values: Mapping[str, Any], report: Report) -> Tried:
        """Try `values`; raises DivergedError, and whatever `report` raises.

        Each validation is told to `report`, as figures["ndcg"] of `done` epochs.
        """


class _OutOfTimeError(TrainingError):
    """The budget ended in the middle of a trial."""


class Study:
    """The trials of one subject: `run` adds to them."""

    def __init__(self, study: optuna.Study, subject: Subject, seed: int):
        self._study, self._subject, self._seed = study, subject, seed

    @staticmethod
    @contextmanager
    def open(directory: Path, subject: Subject, seed: int) -> Generator["Study"]:
        """The study in `directory`, new or as it was left. Raises StudyError."""
        directory.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(directory / "lock", timeout=0), _stored(directory) as found:
                about = json.loads(json.dumps({**subject.about, "seed": seed}))
                if found.user_attrs.setdefault("about", about) != about:
                    raise StudyError(
                        f"{directory} holds the search of something else"
                        f" ({_difference(found.user_attrs['about'], about)}): name another"
                        " directory"
                    )
                found.set_user_attr("about", about)
                study = Study(found, subject, seed)
                study._take_up()
                yield study
        except Timeout:
            raise StudyError(f"another process is searching in {directory}") from None

    @property
    def seconds(self) -> float:
        """What was spent on trials so far, by all processes."""
        return sum(_seconds(trial) for trial in self._study.trials if trial.state.is_finished())

    @property
    def best(self) -> dict[str, Any] | None:
        """The settings worth most; None before any was worth something."""
        best = max(self._complete, key=lambda trial: trial.value or 0.0, default=None)
        return None if best is None else best.params

    @property
    def best_value(self) -> float | None:
        """The best validation of all trials."""
        return max((trial.value or 0.0 for trial in self._complete), default=None)

    @property
    def _complete(self) -> list[FrozenTrial]:
        return self._study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])

    def rows(self) -> list[dict[str, Any]]:
        """Every finished trial in order: settings, ndcg on validation, epochs, seconds, outcome."""
        finished = (trial for trial in self._study.trials if trial.state.is_finished())
        return [
            {
                **trial.params,
                "ndcg": _value(trial),
                "epochs": trial.user_attrs.get("epochs"),
                "seconds": round(_seconds(trial), 2),
                "outcome": trial.user_attrs.get("outcome", "killed"),
            }
            for trial in finished
        ]

    def run(
        self, minutes: float, most: int | None = None, report: Report = silent
    ) -> Iterator[None]:
        """Try until `minutes` are spent by all processes together, or `most` trials are finished.

        Yields after each trial. The first one is given its first validation whatever it costs.
        """
        budget = minutes * 60
        while True:
            spent, finished = self.seconds, len(self.rows())
            best = self.best_value
            figures = {"trials": finished} | ({} if best is None else {"ndcg": best})
            over = spent >= budget or (most is not None and finished >= most) or self._exhausted()
            over = over and finished > 0
            whole = max(round(budget), 1)
            report(Progress(STEP, whole if over else min(round(spent), whole - 1), whole, figures))
            if over:
                return
            self._try_one(time.monotonic() + budget - spent)
            yield

    def _try_one(self, deadline: float) -> None:
        # Each draws from a seed of its own: a search that was killed goes on as if it was not.
        number = sum("outcome" in trial.user_attrs for trial in self._study.trials)
        drawn = int(np.random.SeedSequence((self._seed, number)).generate_state(1)[0])
        self._study.sampler = optuna.samplers.TPESampler(seed=drawn, n_startup_trials=RANDOM_TRIALS)
        trial = self._study.ask(dict(self._subject.distributions))
        seen: dict[int, float] = {}
        first = self.best_value is None

        def watched(progress: Progress) -> None:
            value = progress.figures.get("ndcg")
            if value is not None:
                seen[progress.done] = value
                trial.report(value, progress.done)
                if trial.should_prune():
                    raise optuna.TrialPruned
            if time.monotonic() > deadline and (seen or not first):
                raise _OutOfTimeError

        started, state, value, epochs = time.monotonic(), TrialState.COMPLETE, None, None
        try:
            tried = self._subject.attempt(trial.params, watched)
            value, epochs, outcome = tried.value, tried.epochs, "finished"
        except optuna.TrialPruned:
            state, outcome = TrialState.PRUNED, "pruned"
        except _OutOfTimeError:
            outcome = "cut by the budget"
            state = TrialState.COMPLETE if seen else TrialState.PRUNED
        except DivergedError as error:
            state, outcome = TrialState.FAIL, f"diverged: {error}"
        if value is None and seen:
            epochs, value = max(seen.items(), key=lambda pair: pair[1])
        trial.set_user_attr("epochs", epochs)
        trial.set_user_attr("seconds", time.monotonic() - started)
        trial.set_user_attr("outcome", outcome)
        self._study.tell(trial, value if state == TrialState.COMPLETE else None, state)

    def _take_up(self) -> None:
        """What a killed process was trying is tried again, once; of a new study, the start."""
        trials = self._study.trials
        if not trials:
            self._study.enqueue_trial(dict(self._subject.start))
        for trial in trials:
            if trial.state == TrialState.RUNNING:
                self._study.tell(trial.number, state=TrialState.FAIL)
                # Whatever kills its process twice, for want of memory say, would do it for ever.
                if not trial.user_attrs.get("again"):
                    self._study.enqueue_trial(trial.params, user_attrs={"again": True})

    def _exhausted(self) -> bool:
        """Whether there is nothing that was not tried."""
        ways = 1
        for way in self._subject.distributions.values():
            if isinstance(way, CategoricalDistribution):
                ways *= len(way.choices)
            elif isinstance(way, IntDistribution):
                ways *= (way.high - way.low) // way.step + 1
            else:
                return False
        tried = {
            tuple(sorted(trial.params.items(), key=str))
            for trial in self._study.trials
            if trial.state in (TrialState.COMPLETE, TrialState.PRUNED)
        }
        return len(tried) >= ways


@contextmanager
def _stored(directory: Path) -> Generator[optuna.Study]:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = optuna.storages.RDBStorage(f"sqlite:///{directory / 'study.db'}")
    try:
        yield optuna.create_study(
            study_name=STEP,
            storage=storage,
            direction="maximize",
            load_if_exists=True,
            pruner=optuna.pruners.MedianPruner(COMPARED, WARM_UP),
        )
    finally:
        storage.remove_session()
        storage.engine.dispose()


def _value(trial: FrozenTrial) -> float | None:
    """The best validation; of a pruned trial Optuna takes the last one."""
    if trial.state == TrialState.COMPLETE:
        return trial.value
    return max(trial.intermediate_values.values(), default=None)


def _seconds(trial: FrozenTrial) -> float:
    return trial.user_attrs.get("seconds", 0.0)


def _difference(there: Mapping[str, Any], asked: Mapping[str, Any]) -> str:
    keys = [key for key in {**there, **asked} if there.get(key) != asked.get(key)]
    return "; ".join(f"{key} {there.get(key)!r}, not {asked.get(key)!r}" for key in keys)
