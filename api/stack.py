"""The local stack of one home directory: brought up, joined, taken down by one command at a time.

Knows the lock that guards a stack and what an interrupt means for it; knows nothing of what the
parts do. Nothing here prints: progress is reported as (step, done, total).
"""

import contextlib
from collections.abc import Generator, Sequence
from pathlib import Path

from api.launch import SERVERS, Launch, Stack, StackProgress, environment, local_neo4j
from api.parts import PARTS, Part
from api.redis_server import redis_uri
from api.settings import Settings, check_addresses
from api.stack_state import StackState
from graphdb.connection import Neo4jSettings
from graphdb.ownership import OwnedDirectory, lock_directory
from graphdb.processes import deferred_interrupts, is_alive, one_interrupt, stop

__all__ = ["Stack", "StackProgress", "down", "join", "running", "up"]

LOCK_WAIT_S = 900.0


def up(
    settings: Settings,
    neo4j: Neo4jSettings,
    progress: StackProgress | None = None,
    parts: Sequence[Part] = PARTS,
) -> Stack:
    """Start what does not run yet of the stack in `settings.home`, join the rest.

    A part that died is started again; parts whose addresses changed are restarted. Without `parts`
    only the two servers come up. Interrupted by Ctrl-C, SIGTERM or an error, it stops whatever it
    has started. `progress(step, done, total)`: steps are the parts' names, and `jars` while Neo4j
    is fetched. Raises PathlightError.
    """
    check_addresses(settings, neo4j)
    with one_interrupt(), _locked(settings.root):
        launch = Launch(settings, neo4j, progress)
        try:
            return launch.run(parts)
        except BaseException:
            launch.undo()
            raise


@contextlib.contextmanager
def running(
    settings: Settings,
    neo4j: Neo4jSettings,
    progress: StackProgress | None = None,
    parts: Sequence[Part] = PARTS,
) -> Generator[Stack]:
    """`up` for the length of a block: at its end, however it ends, what was started is stopped.

    What was running before stays. A first Ctrl-C or SIGTERM raises KeyboardInterrupt in the block;
    later ones do not disturb the stopping.
    """
    check_addresses(settings, neo4j)
    with one_interrupt():
        launch: Launch | None = None
        try:
            with _locked(settings.root):
                launch = Launch(settings, neo4j, progress)
                stack = launch.run(parts)
            yield stack
        finally:
            with deferred_interrupts():
                if launch:
                    with _locked(settings.root):
                        launch.undo()


def join(settings: Settings, neo4j: Neo4jSettings) -> Stack | None:
    """The addresses of the stack if its graph is there (or named by a setting), else None.

    Starts nothing and asks no server; `redis_url` and `api_url` are empty where none runs.
    """
    check_addresses(settings, neo4j)
    graph = OwnedDirectory(settings.root / "neo4j")
    if not neo4j.uri:
        owner = graph.owner()
        if owner is None:
            return None
        neo4j = local_neo4j(owner.port, graph.password())
    redis = OwnedDirectory(settings.root / "redis")
    redis_url = settings.redis_url.get_secret_value()
    if not redis_url and (owner := redis.owner()):
        redis_url = redis_uri(owner.port, redis.password())
    api = StackState.read(settings.root).parts.get("api")
    serves = api is not None and is_alive(api.child)
    env = environment(settings, neo4j, redis_url, api.port if api and serves else 0)
    return Stack(settings, neo4j, redis_url, api.address if api and serves else "", env)


def down(settings: Settings) -> list[str]:
    """Stop the stack's local processes, last started first; returns the names of those stopped."""
    with one_interrupt(), _locked(settings.root):
        state = StackState.read(settings.root)
        names = [name for name in reversed(state.parts) if name not in SERVERS]
        stopped = [name for name in names if is_alive(state.parts[name].child)]
        for name in names:
            stop(state.parts[name].child, state.parts[name].grace_s)
            state.drop(name)
        for name in reversed(SERVERS):
            server = OwnedDirectory(settings.root / name)
            stopped += [name] if server.owner() else []
            server.stop()
            state.drop(name)
        return stopped


def _locked(root: Path) -> contextlib.AbstractContextManager[None]:
    return lock_directory(root, "stack.lock", LOCK_WAIT_S)
