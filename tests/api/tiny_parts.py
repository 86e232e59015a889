"""The stack's table of parts with the tiny applications, and a program that runs `up` with it."""

import sys
from dataclasses import replace

from api.local.parts import API, BEAT, CONSUMER, WORKER, Part
from api.local.stack import up
from api.settings import Settings
from graphdb.connection import Neo4jSettings
from graphdb.errors import PathlightError

REAL = {"api.app:create_app": "tests.api.tiny_app:create_app", "api.worker": "tests.api.tiny_tasks"}


def tiny(part: Part) -> Part:
    return replace(part, arguments=tuple(REAL.get(word, word) for word in part.arguments))


TINY = (CONSUMER, tiny(API), tiny(WORKER), tiny(BEAT))


def main() -> None:
    """Bring the stack of the environment up, a line a step; then say what was started."""
    try:
        stack = up(
            Settings(),
            Neo4jSettings(),
            lambda step, done, total: print(step, done, flush=True),
            TINY,
        )
    except PathlightError as error:
        sys.exit(str(error))
    print("started", *stack.started, flush=True)


if __name__ == "__main__":
    main()
