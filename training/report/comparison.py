"""Two artifacts side by side: whether they can be compared, the paired test, what differs."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.judging.intervals import PerUser, intervals, permutation_p
from training.judging.judgement import Judged, Paired
from training.report import figures, wording
from training.report.artifact_page import cost_tables, model_sections, save
from training.report.card import main_metric
from training.report.page import Part, Picture, Section, Table, html_page
from training.report.subject import Subject, read_subject


@dataclass(frozen=True)
class Comparison:
    """The page and its first sentences; `paired`: the first minus the second on the same people,
    empty where the two cannot be compared."""

    page: Path
    said: list[str]
    paired: list[Paired]


def write_comparison(first: Path, second: Path, page: Path) -> Comparison:
    """Compare the artifacts in two directories on one page.

    Raises ArtifactError, JudgementError naming the file.
    """
    a, b = read_subject(first), read_subject(second)
    names = labels(a, b)
    refused = incomparable(a, b)
    paired = [] if refused else paired_test(a, b, names)
    lead = [refused] if refused else headline(paired, main_metric(a.judgement))
    sections = [
        *(_apart(a, b, names) if refused else _together(a, b, names, paired)),
        Section("Learning", _curves(a, b, names)),
        Section("Settings that differ", _settings(a, b, names)),
        *(
            Section(f"Cost of {name}", cost_tables(s.model))
            for name, s in zip(names, (a, b), strict=True)
        ),
    ]
    save(page, html_page(f"{names[0]} and {names[1]}", lead, sections))
    return Comparison(page, lead, paired)


def labels(a: Subject, b: Subject) -> tuple[str, str]:
    """What the two go by: their ids, told apart where those are the same."""
    if a.model.id != b.model.id:
        return a.model.id, b.model.id
    return f"{a.model.id} (first)", f"{b.model.id} (second)"


def incomparable(a: Subject, b: Subject) -> str | None:
    """Why figures of the two must not be held against each other; None where they can be."""
    one, other = a.judgement, b.judgement
    if one.split != other.split:
        return f"Not comparable: one was tested on {one.split!r}, the other on {other.split!r}."
    if not one.tested or not other.tested:
        return "Not comparable: a judgement does not say who was tested; evaluate both again."
    if one.tested != other.tested:
        seeds = f" (seeds {one.seed} and {other.seed})" if one.seed != other.seed else ""
        return (
            f"Not comparable: both were tested on {one.split!r}, but not the same people on the"
            f" same items{seeds}; evaluate both on one snapshot with one seed."
        )
    if not set(one.each) & set(other.each):
        return (
            f"Not comparable: one was judged at {one.cutoffs}, the other at {other.cutoffs}, and"
            " nothing at both; evaluate both at the same."
        )
    return None


def paired_test(a: Subject, b: Subject, names: tuple[str, str]) -> list[Paired]:
    """The differences of `a` minus `b` on the same people; both must be comparable."""
    one, other, seed = a.judgement.each, b.judgement.each, a.judgement.seed
    found = {name: np.array(one[name]) - np.array(other[name]) for name in one if name in other}
    ps = permutation_p(np.stack(list(found.values()), axis=1), seed)
    differences = intervals({name: PerUser.mean(values) for name, values in found.items()}, seed)
    return [
        Paired(first=names[0], second=names[1], metric=name, difference=differences[name], p=p)
        for name, p in zip(found, ps, strict=True)
    ]


def headline(paired: list[Paired], metric: str) -> list[str]:
    """Which of the two ranks better, if either does."""
    pair = next((pair for pair in paired if pair.metric == metric), paired[0])
    return [wording.difference(pair), "In brackets 95 % intervals, over people."]


def _models(a: Subject, b: Subject, names: tuple[str, str]) -> dict[str, Judged]:
    """The two, and beside them what the first was judged beside."""
    judged = {names[0]: a.judgement.models[0], names[1]: b.judgement.models[0]}
    graph = wording.flat(a.model.recipe).get("model.name")
    beside = {m.name: m for m in a.judgement.models[1:] if m.name not in (graph, *names)}
    return {**judged, **beside}


def _together(
    a: Subject, b: Subject, names: tuple[str, str], paired: list[Paired]
) -> list[Section]:
    models = _models(a, b, names)
    cutoffs = [k for k in a.judgement.cutoffs if k in b.judgement.cutoffs]
    shared = a.judgement.model_copy(update={"cutoffs": cutoffs})
    words = (
        f"{names[0]} minus {names[1]} for each of the same people, and how likely a mean difference"
        " as large would be if the two did not differ (permutation test)."
    )
    test = Section("Paired test", [words, wording.paired_table(paired)])
    return [test, *model_sections(models, shared)]


def _apart(a: Subject, b: Subject, names: tuple[str, str]) -> list[Section]:
    return [
        Section(
            f"Figures of {name}",
            [
                *wording.headline(subject.judgement, main_metric(subject.judgement)),
                wording.metrics_table({m.name: m for m in subject.judgement.models}),
            ],
        )
        for name, subject in zip(names, (a, b), strict=True)
    ]


def _curves(a: Subject, b: Subject, names: tuple[str, str]) -> list[Part]:
    curves = {n: s.model.curve for n, s in zip(names, (a, b), strict=True) if s.model.curve}
    if not curves:
        return ["Neither has a learning curve."]
    return [Picture(figures.learning_curves(curves))]


def _settings(a: Subject, b: Subject, names: tuple[str, str]) -> list[Part]:
    one, other = wording.settings(a.model), wording.settings(b.model)
    one["snapshot"], other["snapshot"] = a.model.snapshot_id, b.model.snapshot_id
    rows = [
        [name, one.get(name), other.get(name)]
        for name in {**one, **other}
        if one.get(name) != other.get(name)
    ]
    if not rows:
        return ["All settings are the same."]
    return [Table(["setting", *names], rows)]
