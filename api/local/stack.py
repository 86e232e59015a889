"""The local stack of one home directory: brought up, joined, taken down by one command at a time.

Knows the lock that guards a stack and what an interrupt means for it; knows nothing of what the
parts do. Nothing here prints: progress is reported as (step, done, total).
"""

import contextlib
from collections.abc import Generator, Sequence
from pathlib import Path

from api.local.launch import SERVERS, Launch, Stack, StackProgress, environment, local_neo4j
from api.local.parts import PARTS, Part
from api.local.redis_server import redis_uri
from api.local.stack_state import StackState
from api.settings import Settings, check_addresses
from graphdb.connection import Neo4jSettings
from graphdb.local.ownership import OwnedDirectory, lock_directory
from graphdb.local.processes import (
    Child,
    deferred_interrupts,
    is_alive,
    one_interrupt,
    stop,
    this_process,
)

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
            stack = launch.run(parts)
            launch.state.keep_up(True)
            return stack
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
    """The stack for the length of a block, joined or started.

    It ends with the last such block, in whichever process, unless an `up` keeps it. A first Ctrl-C
    or SIGTERM raises KeyboardInterrupt in the block; later ones do not disturb the stopping.
    """
    check_addresses(settings, neo4j)
    me = this_process()
    with one_interrupt():
        try:
            with _locked(settings.root):
                launch = Launch(settings, neo4j, progress)
                launch.state.add_user(me)
                try:
                    stack = launch.run(parts)
                except BaseException:
                    launch.undo()
                    raise
            yield stack
        finally:
            with deferred_interrupts():
                _leave(settings, me)


def _leave(settings: Settings, user: Child) -> None:
    with _locked(settings.root):
        state = StackState.read(settings.root)
        if user not in state.users:
            return
        state.remove_user(user)
        if not state.kept and not state.users:
            _stop_all(settings.root, state)


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
        state.keep_up(False)
        return _stop_all(settings.root, state)


def _stop_all(root: Path, state: StackState) -> list[str]:
    names = [name for name in reversed(state.parts) if name not in SERVERS]
    stopped = [name for name in names if is_alive(state.parts[name].child)]
    for name in names:
        stop(state.parts[name].child, state.parts[name].grace_s)
        state.drop(name)
    for name in reversed(SERVERS):
        server = OwnedDirectory(root / name)
        stopped += [name] if server.owner() else []
        server.stop()
        state.drop(name)
    return stopped


def _locked(root: Path) -> contextlib.AbstractContextManager[None]:
    return lock_directory(root, "stack.lock", LOCK_WAIT_S)
