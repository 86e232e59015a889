"""The pictures of the shipped domains: `python docs/domains/draw.py` draws NAME.svg for each.

A picture is drawn from its domain file alone, the same bytes whenever it is drawn.
"""

import io
from pathlib import Path

import matplotlib as mpl

mpl.use("svg")

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch

from graphdb.domain import Domain, load_domain

HERE = Path(__file__).parent
NAMES = ("films", "shop", "articles", "social")
COLOURS = {"user": "#cfe3f5", "item": "#d9efd3", "attribute": "#f7ead0"}
STEP = 1.25
Place = tuple[float, float]


def draw(domain: Domain) -> str:
    """The SVG of a domain's graph."""
    settings = {"svg.hashsalt": domain.name, "svg.fonttype": "none", "font.size": 9}
    with mpl.rc_context(settings):
        figure, axes = plt.subplots(figsize=(10, 4.6))
        _draw(axes, domain)
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None}, bbox_inches="tight")
        plt.close(figure)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines()) + "\n"


def _draw(axes: Axes, domain: Domain) -> None:
    axes.set_axis_off()
    axes.set_xlim(-5.6, 10.4)
    axes.set_ylim(-3.6, 3.6)
    places: dict[str, Place] = {"user": (0.0, 0.0), "item": (5.0, 0.0)}
    for side, x, fields in (("user", -4.2, domain.user.fields), ("item", 9.2, domain.item.fields)):
        nodes = [name for name, spec in fields.items() if spec.node]
        for n, name in enumerate(nodes):
            places[name] = (x, ((len(nodes) - 1) / 2 - n) * STEP)
            node = fields[name].node
            assert node is not None
            _node(axes, places[name], node.label, [], "attribute")
            _arrow(axes, places[side], places[name], node.relationship)
    events = "\n".join(spec.relationship for spec in domain.events.values())
    _arrow(axes, places["user"], places["item"], events, before=66)
    for start, end in dict.fromkeys((r.from_, r.to) for r in domain.relations.values()):
        _relation(axes, domain, places, start, end)
    plain = [name for name, spec in domain.user.fields.items() if not spec.node]
    _node(axes, places["user"], "User", ["id", *plain], "user")
    _node(
        axes, places["item"], f"Item:{domain.item.label}", ["id", *domain.item_properties], "item"
    )


def _relation(axes: Axes, domain: Domain, places: dict[str, Place], start: str, end: str) -> None:
    """One arrow for all relations between the same two ends."""
    names = [
        spec.relationship
        for spec in domain.relations.values()
        if (spec.from_, spec.to) == (start, end)
    ]
    if start == end:
        x, y = places[start]
        curve = {"connectionstyle": "arc3,rad=-1.6", "arrowstyle": "-|>", "mutation_scale": 12}
        loop = FancyArrowPatch((x - 0.5, y + 0.6), (x + 0.5, y + 0.6), color="#555555", **curve)
        axes.add_patch(loop)
        axes.text(x, y + 1.75, ", ".join(names), ha="center", va="bottom", fontsize=7.5)
        return
    _arrow(axes, places[start], places[end], ", ".join(names), bend=0.35)


def _arrow(
    axes: Axes, start: Place, end: Place, label: str, bend: float = 0.0, before: int = 30
) -> None:
    """From node to node, ending some points before the middle of the second."""
    style = {"arrowstyle": "-|>", "mutation_scale": 12, "shrinkA": 38, "shrinkB": before}
    curve = f"arc3,rad={bend}"
    axes.add_patch(FancyArrowPatch(start, end, connectionstyle=curve, color="#555555", **style))
    share = 0.58 if bend == 0 and "\n" not in label else 0.5
    x = start[0] + (end[0] - start[0]) * share
    y = start[1] + (end[1] - start[1]) * share - bend * (end[0] - start[0]) / 2
    white = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
    axes.text(x, y, label, ha="center", va="center", fontsize=7.5, bbox=white)


def _node(axes: Axes, place: Place, label: str, fields: list[str], kind: str) -> None:
    text = "\n".join([label, *([", ".join(fields[:3])] if fields else [])])
    more = [", ".join(fields[n : n + 3]) for n in range(3, len(fields), 3)]
    box = {"boxstyle": "round,pad=0.5", "facecolor": COLOURS[kind], "edgecolor": "#555555"}
    text = "\n".join([text, *more])
    axes.text(*place, text, ha="center", va="center", bbox=box, zorder=3)


def main() -> None:
    """Draw all of them."""
    for name in NAMES:
        (HERE / f"{name}.svg").write_text(draw(load_domain(name)), encoding="utf-8")


if __name__ == "__main__":
    main()
