"""What a report says in words and tables: figures with intervals, settings, what was tried.

It knows a model's description and its judgement; neither pictures nor pages.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from training.artifact import Model
from training.judging.judgement import Interval, Judged, Judgement, Paired
from training.report.page import Table, cell

MEASURED = {"ndcg", "seconds", "epochs", "refused", "outcome"}
"""What a trial says that is no setting of its."""


def interval(found: Interval) -> str:
    """A figure and its 95 % interval."""
    return f"{found.value:.4f} ({found.low:.4f} to {found.high:.4f})"


def chance(p: float) -> str:
    """A p as it is told: 2,000 flips do not tell less than 0.0005."""
    return f"p = {p:.4f}" if p >= 0.0005 else "p < 0.0005"


def headline(judgement: Judgement, metric: str) -> list[str]:
    """How the judged model ranks, then its difference to each other one."""
    first = judgement.models[0]
    said = [
        f"On {judgement.users:,} people ({judgement.split}) {first.name} reaches {metric}"
        f" {interval(first.metrics[metric])}; in brackets 95 % intervals."
    ]
    mine = [pair for pair in judgement.paired if pair.metric == metric and pair.first == first.name]
    return said + [difference(pair) for pair in mine]


def difference(pair: Paired) -> str:
    """Whether the first of a pair is better than the second, by how much and how surely."""
    if pair.difference.low <= 0 <= pair.difference.high:
        word = "not surely different from"
    else:
        word = "better than" if pair.difference.value > 0 else "worse than"
    return (
        f"{pair.first} is {word} {pair.second}: {pair.metric} differs by"
        f" {interval(pair.difference)}, {chance(pair.p)}."
    )


def metrics_table(models: Mapping[str, Judged], summary: str = "") -> Table:
    """Every figure of every model, with its interval."""
    names = list(dict.fromkeys(name for judged in models.values() for name in judged.metrics))
    rows = [
        [name, *(_known(judged.metrics.get(name)) for judged in models.values())] for name in names
    ]
    return Table(["metric", *models], rows, summary)


def paired_table(paired: list[Paired]) -> Table:
    """Differences on the same people."""
    rows = [
        [pair.metric, f"{pair.first} − {pair.second}", interval(pair.difference), chance(pair.p)]
        for pair in paired
    ]
    return Table(["metric", "difference of", "and its 95 % interval", "paired test"], rows)


def groups_table(judged: Judged, metric: str, summary: str = "") -> Table:
    """What each group gets: how many it is, what share of people or of listed places, how well."""
    rows = []
    for name, groups in judged.groups.items():
        for value, row in groups.items():
            size = row.get("users", row.get("items"))
            share = row.get("share", row.get(f"share@{metric.partition('@')[2]}"))
            size = None if size is None else int(size)
            rows.append([name, value, size, share, row.get(metric)])
    return Table(["property", "group", "people or items", "share", metric], rows, summary)


def settings_table(model: Model) -> Table:
    """Every setting of the recipe and of the score."""
    return Table(["setting", "value"], list(settings(model).items()))


def settings(model: Model) -> dict[str, Any]:
    """Every setting by its path, as in "training.loss.temperature"."""
    of_score = {
        name: getattr(model, name)
        for name in ("similarity", "dimensions", "blend", "history_exponent", "weight_cap", "seed")
    }
    return {**flat(model.recipe), **{f"score.{name}": value for name, value in of_score.items()}}


def flat(given: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """The leaves of nested settings by path."""
    return dict(_leaves(given, above))


def _leaves(given: Mapping[str, Any], above: str) -> Iterator[tuple[str, Any]]:
    for name, value in given.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", ", ".join(map(cell, value)) if _listed(value) else value


def _listed(value: Any) -> bool:
    return isinstance(value, list | tuple)


def trial_words(trial: Mapping[str, Any]) -> str:
    """A trial's settings in a line."""
    known = flat({name: value for name, value in trial.items() if name not in MEASURED})
    return ", ".join(f"{name} {cell(value)}" for name, value in known.items() if value is not None)


def trials_table(model: Model) -> Table:
    """Everything that was tried, and whether its settings are those that were chosen."""
    rows = []
    for number, trial in enumerate(model.trials, start=1):
        if "refused" in trial:
            fate = f"refused: {trial['refused']}"
        elif is_chosen(trial, model.recipe):
            fate = "chosen"
        else:
            ended = trial.get("outcome", "finished")
            fate = "rejected" if ended == "finished" else f"rejected, {ended}"
        measured = [trial.get(name) for name in ("ndcg", "epochs", "seconds")]
        rows.append([number, trial_words(trial), *measured, fate])
    columns = ["trial", "settings", "NDCG on validation", "epochs", "seconds", "became"]
    return Table(columns, rows)


def is_chosen(trial: Mapping[str, Any], recipe: Mapping[str, Any]) -> bool:
    """Whether every setting of the trial that the recipe has as well is the same there.

    A trial names its settings by the ends of their paths: "hops" is "model.hops".
    """
    if "refused" in trial:
        return False
    model = recipe.get("model")
    named = model.get("name") if isinstance(model, Mapping) else model
    if "epochs" in trial and trial.get("model") != named:
        return False
    chosen = flat(recipe)
    asked = {n: v for n, v in trial.items() if n not in MEASURED and n != "model"}
    for name, value in flat(asked).items():
        there = [v for path, v in chosen.items() if path == name or path.endswith(f".{name}")]
        if there and not any(_same(value, other) for other in there):
            return False
    return True


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float | int) and isinstance(other, float | int):
        return math.isclose(one, other, rel_tol=1e-3)
    return one == other


def _known(found: Interval | None) -> str | None:
    return None if found is None else interval(found)
