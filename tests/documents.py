"""Reading the project's Markdown: fenced blocks by language, and the commands in them."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks(name: str, language: str) -> list[str]:
    """The fenced blocks of one language in a file, in order."""
    found = FENCE.findall((ROOT / name).read_text("utf-8"))
    return [text.strip() for kind, text in found if kind == language]


def matches(documented: object, real: object) -> bool:
    """Whether an answer is as documented: "…" is anything, a float any number."""
    if documented == "…":
        return True
    if isinstance(documented, dict):
        return (
            isinstance(real, dict)
            and documented.keys() == real.keys()
            and all(matches(documented[key], real[key]) for key in documented)
        )
    if isinstance(documented, list):
        return (
            isinstance(real, list)
            and len(documented) == len(real)
            and all(map(matches, documented, real))
        )
    if isinstance(documented, float):
        return isinstance(real, int | float)
    return documented == real
