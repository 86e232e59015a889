"""Pictures of judgements, learning curves and the space of items, as Plotly figures.

They know figures of models by label; not which files they stand in nor the page around them.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from training.judging.judgement import Interval, Judged
from training.judging.metrics import ACCURACY
from training.report.embedding_map import Plane
from training.report.page import label

COLOURS = ("#0072b2", "#d55e00", "#8c8c8c", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#000000")
"""Told apart by colour-blind readers as well (Okabe and Ito 2008)."""
BEYOND = {
    "coverage": "coverage: share of the catalogue that is listed",
    "gini": "Gini: 0 when all items are listed alike, 1 when one is",
    "novelty": "novelty: bits of surprise of a listed item",
    "diversity": "diversity: how unlike the items of one list are",
    "popularity": "share of people who met a listed item",
}
POPULARITY = "item.popularity"

Models = Mapping[str, Judged]
"""By the label they are shown under, the judged first."""


def metric_bars(models: Models, cutoff: int) -> go.Figure:
    """Each model's accuracy at `cutoff`, with its intervals."""
    figure = _figure(yaxis_title=f"at {cutoff}", barmode="group")
    for n, (name, judged) in enumerate(models.items()):
        found = {
            metric: judged.metrics[f"{metric}@{cutoff}"]
            for metric in ACCURACY
            if f"{metric}@{cutoff}" in judged.metrics
        }
        x = [metric.replace("_", " ") for metric in found]
        figure.add_bar(**_intervals(found.values()), x=x, name=label(name), marker_color=_colour(n))
    return figure


def learning_curves(curves: Mapping[str, Sequence[Mapping[str, Any]]]) -> go.Figure:
    """Loss of every epoch, and NDCG where epochs were validated, of each training run."""
    validated = any("ndcg" in row for rows in curves.values() for row in rows)
    figure = make_subplots(
        rows=1, cols=1 + validated, subplot_titles=["loss", "NDCG on validation"][: 1 + validated]
    )
    for n, (name, rows) in enumerate(curves.items()):
        for column, key in enumerate(["loss", "ndcg"][: 1 + validated], start=1):
            known = [row for row in rows if key in row]
            figure.add_scatter(
                row=1,
                col=column,
                x=[row["epoch"] for row in known],
                y=[row[key] for row in known],
                customdata=[row.get("seconds") for row in known],
                hovertemplate="epoch %{x}: %{y:.4g}, after %{customdata:.1f} s<extra></extra>",
                mode="lines+markers",
                marker_size=5,
                line_color=_colour(n),
                name=label(name),
                legendgroup=str(n),
                showlegend=column == 1 and len(curves) > 1,
            )
    return _styled(figure).update_xaxes(title="epoch")


def by_popularity(models: Models, metric: str) -> go.Figure:
    """How well items of each band of popularity are found when they are what is looked for."""
    figure = _figure(xaxis_title="entries an item had to learn from", yaxis_title=metric)
    for n, (name, judged) in enumerate(models.items()):
        bands = judged.groups.get(POPULARITY, {})
        known = {band: row[metric] for band, row in bands.items() if metric in row}
        figure.add_scatter(
            x=[label(band) for band in known],
            y=list(known.values()),
            name=label(name),
            mode="lines+markers",
            line_color=_colour(n),
        )
    order = _bands(models)
    figure.update_xaxes(type="category", categoryorder="array", categoryarray=order)
    return figure.update_yaxes(rangemode="tozero")


def shares_by_popularity(models: Models, cutoff: int) -> go.Figure:
    """What share of listed places each band of popularity gets, beside its share of the catalogue
    and of what people then chose."""
    figure = _figure(
        xaxis_title="entries an item had to learn from", yaxis_title="share", barmode="group"
    )
    first = next(iter(models.values()))
    bands = first.groups.get(POPULARITY, {})
    x = [label(band) for band in bands]
    for key, name, colour in (("catalogue", "catalogue", "#ddd"), ("test", "chosen", "#bbb")):
        y = [row.get(key) for row in bands.values()]
        figure.add_bar(x=x, y=y, name=name, marker_color=colour)
    for n, (name, judged) in enumerate(models.items()):
        y = [judged.groups.get(POPULARITY, {}).get(b, {}).get(f"share@{cutoff}") for b in bands]
        figure.add_bar(x=x, y=y, name=f"listed by {label(name)}", marker_color=_colour(n))
    figure.update_xaxes(type="category", categoryorder="array", categoryarray=_bands(models))
    return figure.update_yaxes(tickformat=".0%")


def beyond_accuracy(models: Models, cutoff: int) -> go.Figure:
    """Coverage, Gini, novelty, diversity and popularity of the lists, each on its own scale."""
    shown = {
        name: words
        for name, words in BEYOND.items()
        if any(f"{name}@{cutoff}" in judged.metrics for judged in models.values())
    }
    figure = make_subplots(
        rows=max(1, len(shown)), cols=1, subplot_titles=list(shown.values()), vertical_spacing=0.09
    )
    for row, metric in enumerate(shown, start=1):
        for n, (name, judged) in enumerate(models.items()):
            found = judged.metrics.get(f"{metric}@{cutoff}")
            if found:
                bars = _intervals([found], along="x")
                figure.add_bar(
                    row=row,
                    col=1,
                    **bars,
                    y=[label(name)],
                    orientation="h",
                    marker_color=_colour(n),
                    showlegend=False,
                )
    return _styled(figure).update_yaxes(autorange="reversed", type="category")


def warm_and_cold(models: Models, metric: str) -> go.Figure:
    """A metric for items and people that are well known, and those that hardly are."""
    figure = _figure(yaxis_title=metric, barmode="group")
    for n, (name, judged) in enumerate(models.items()):
        found = {
            words: part[key]
            for words, part, key in (
                ("warm items", judged.warm, metric),
                ("cold items", judged.cold, metric),
                ("warm people", judged.warm, f"users.{metric}"),
                ("cold people", judged.cold, f"users.{metric}"),
            )
            if key in part
        }
        bars = _intervals(found.values())
        figure.add_bar(**bars, x=list(found), name=label(name), marker_color=_colour(n))
    return figure


def people_groups(models: Models, metric: str) -> go.Figure:
    """A metric for each group of people, by every property of theirs that was asked for."""
    figure = _figure(xaxis_title=metric, scattermode="group")
    first = next(iter(models.values()))
    order = [
        (prop, value)
        for prop, groups in first.groups.items()
        for value in groups
        if prop.startswith("user.")
    ]
    for n, (name, judged) in enumerate(models.items()):
        rows = [(p, v, judged.groups.get(p, {}).get(v, {})) for p, v in order]
        known = [(p, v, row) for p, v, row in rows if metric in row]
        figure.add_scatter(
            x=[row[metric] for _, _, row in known],
            y=[label(f"{p.removeprefix('user.')}: {v}") for p, v, _ in known],
            customdata=[row.get("users") for _, _, row in known],
            hovertemplate="%{y}: %{x:.4f} (%{customdata} people)",
            mode="markers",
            marker={"size": 9, "color": _colour(n)},
            name=label(name),
        )
    return figure.update_yaxes(type="category", autorange="reversed", automargin=True)


def trials(rows: Sequence[Mapping[str, Any]], words: Sequence[str]) -> go.Figure:
    """NDCG on validation of everything that was tried, in the order of trying."""
    known = [(n, row, said) for n, (row, said) in enumerate(zip(rows, words, strict=True), 1)]
    known = [(n, row, said) for n, row, said in known if isinstance(row.get("ndcg"), int | float)]
    figure = _figure(xaxis_title="trial", yaxis_title="NDCG on validation")
    for n, name in enumerate(dict.fromkeys(str(row.get("model")) for _, row, _ in known)):
        mine = [(at, row, said) for at, row, said in known if str(row.get("model")) == name]
        figure.add_scatter(
            x=[at for at, _, _ in mine],
            y=[row["ndcg"] for _, row, _ in mine],
            text=[label(said) for _, _, said in mine],
            hovertemplate="%{text}<br>%{y:.4f}",
            mode="markers",
            marker={"size": 9, "color": _colour(n)},
            name=label(name),
        )
    return figure


def item_map(plane: Plane, titles: Sequence[str], popularity: Sequence[float]) -> go.Figure:
    """Items where their vectors put them, lighter the more weight of events they have; `titles` and
    `popularity` [n] are of the plane's rows."""
    figure = _figure(hovermode="closest")
    colour = [_log(weight) for weight in popularity]
    figure.add_scatter(
        x=[round(float(x), 3) for x in plane.places[:, 0]],
        y=[round(float(y), 3) for y in plane.places[:, 1]],
        text=[label(title) for title in titles],
        customdata=[round(float(weight), 2) for weight in popularity],
        hovertemplate="%{text}<br>weight of its events: %{customdata}<extra></extra>",
        mode="markers",
        marker={
            "size": 6,
            "opacity": 0.8,
            "color": colour,
            "colorscale": "Viridis",
            "colorbar": {"title": "events (log)", "thickness": 12},
        },
    )
    hidden = {"showticklabels": False, "showgrid": False, "zeroline": False, "title": None}
    return figure.update_xaxes(**hidden).update_yaxes(**hidden)


def _log(weight: float) -> float:
    return round(math.log10(1 + max(float(weight), 0.0)), 3)


def _bands(models: Models) -> list[str]:
    """The bands of popularity as labels, from the least popular."""
    first = next(iter(models.values()), None)
    return [label(band) for band in (first.groups.get(POPULARITY, {}) if first else {})]


def _intervals(found: Any, along: str = "y") -> dict[str, Any]:
    """Values and asymmetric error bars of intervals, for a bar along an axis."""
    each: list[Interval] = list(found)
    return {
        along: [interval.value for interval in each],
        f"error_{along}": {
            "type": "data",
            "symmetric": False,
            "array": [interval.high - interval.value for interval in each],
            "arrayminus": [interval.value - interval.low for interval in each],
            "thickness": 1,
            "width": 3,
        },
    }


def _colour(n: int) -> str:
    return COLOURS[n % len(COLOURS)]


def _figure(**layout: Any) -> go.Figure:
    return _styled(go.Figure(), **layout)


def _styled(figure: go.Figure, **layout: Any) -> go.Figure:
    legend = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}
    return figure.update_layout(
        template="plotly_white",
        margin={"l": 60, "r": 20, "t": 50, "b": 50},
        legend=legend,
        **layout,
    )
