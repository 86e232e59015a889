"""A figure as every benchmark prints it: one JSON object on a line of its own."""

import json


def show(
    name: str,
    value: float,
    unit: str,
    reference: float | None = None,
    **more: float | str | list[int],
) -> None:
    """Print a figure; `ratio` is value / reference, where there is one that is not 0, unless it is
    given among `more`."""
    ratio = value / reference if reference else None
    figure = {"name": name, "value": _short(value), "unit": unit, "reference": _short(reference)}
    print(json.dumps({**figure, "ratio": ratio, **more}), flush=True)


def _short(value: float | None) -> float | None:
    return value if value is None else round(value, 4)
