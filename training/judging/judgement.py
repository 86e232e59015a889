"""How models fared on one test part, as a file: `judgement.json`, in an artifact or beside one.

It knows shapes and files; neither how a metric is measured nor who reads it. No torch.
"""

import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from training.errors import TrainingError

FILE_NAME = "judgement.json"
SCHEMA_VERSION = 1


class JudgementError(TrainingError):
    """A judgement that is missing, incomplete or of another schema version."""


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Interval(_Shape):
    """A figure and the ends of its 95 % bootstrap interval over tested users."""

    value: float
    low: float
    high: float


class Judged(_Shape):
    """One model's figures by metric, for example `metrics["ndcg@10"]`.

    warm and cold: the same where only warm (cold) items of the test part are looked for, and under
    `users.ndcg@10` those of warm (cold) users; groups: by property, then its value, then metric.
    """

    name: str
    metrics: dict[str, Interval]
    warm: dict[str, Interval] = {}
    cold: dict[str, Interval] = {}
    groups: dict[str, dict[str, dict[str, float]]] = {}


class Paired(_Shape):
    """`first` minus `second` on the same users; `p` is two-sided, of a paired permutation test."""

    first: str
    second: str
    metric: str
    difference: Interval
    p: float


class Dialled(_Shape):
    """Lists of `cutoff` with one dial turned: their `ndcg`, what that is less than without it
    (`cost`, and `p` as of Paired), and the measure that the dial is for without and with it."""

    dial: str
    value: str
    cutoff: int
    users: int
    ndcg: Interval
    cost: Interval
    p: float
    bought: str
    before: float
    after: float


class Judgement(_Shape):
    """`split` in words, `users` tested, `cutoffs` of the ranked lists; models, the judged first.

    dials: what each dial costs the judged model.
    notes: by metric, how it was measured where that depends on the data. each: by metric, the
    judged model's figure of every kept user (at most 20,000), the same users in the same order
    wherever `tested` is the same: the digest of who was asked for what, knowing what.
    """

    schema_version: int = SCHEMA_VERSION
    split: str
    seed: int
    cutoffs: list[int]
    users: int
    models: list[Judged]
    paired: list[Paired] = []
    notes: dict[str, str] = {}
    tested: str = ""
    each: dict[str, list[float]] = {}
    dials: list[Dialled] = []

    def model(self, name: str) -> Judged:
        """The figures of the model called `name`. Raises JudgementError with those there are."""
        for judged in self.models:
            if judged.name == name:
                return judged
        known = ", ".join(judged.name for judged in self.models)
        raise JudgementError(f"no model {name!r} was judged: expected one of {known}")


def write_judgement(path: Path, judgement: Judgement) -> None:
    """Write `path`, whole or not at all; one that is there goes."""
    building = path.with_name(f".{path.name}.{os.getpid()}")
    building.write_text(judgement.model_dump_json(indent=2) + "\n")
    building.replace(path)


def read_judgement(path: Path) -> Judgement:
    """Read a judgement's file, or that of the artifact whose directory `path` is.

    Raises JudgementError naming the file.
    """
    file = path / FILE_NAME if path.is_dir() else path
    try:
        read = Judgement.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        raise JudgementError(
            f"there is no {file}: `pathlight evaluate` makes one, training as well"
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"])) or "content"
        raise JudgementError(f"{file}: {key}: {first['msg']}") from None
    if read.schema_version != SCHEMA_VERSION:
        raise JudgementError(
            f"{file}: schema_version is {read.schema_version}, this program reads"
            f" {SCHEMA_VERSION}; evaluate again"
        )
    return read
