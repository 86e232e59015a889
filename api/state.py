"""What a running API process holds, made when it starts and closed when it ends."""

import logging
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Annotated

from anyio import CapacityLimiter
from fastapi import Depends, Request

from api.access.keyring import Keyring
from api.access.rate_limits import RateLimits
from api.answers.recommender import Recommender
from api.answers.sources import check_budget
from api.serving.breaker import GraphBreaker
from api.serving.serving import Serving
from api.settings import Settings
from api.streaming import DEFAULT_REDIS, open_stream
from graphdb.connection import SERVING, WRITING, Graph, Neo4jSettings
from graphdb.domain import Domain, load_domain
from graphdb.errors import PathlightError
from graphdb.people.erasure import finish_erasures
from graphdb.schema import create_schema
from ingest.stream.dead_letters import DeadLetters
from ingest.stream.served import ServedLists
from ingest.stream.stream import EventStream
from training.artifact import ArtifactError

log = logging.getLogger(__name__)

KEEP_UP_S = 0.5
TAKERS = 10
FIRST_READ_S = 10.0


@dataclass(frozen=True)
class State:
    """graph: with an answer's patience; working: with a writer's; prepared: the schema is there;
    stream: where events wait for the graph; letters: those that were put aside; lists: where
    served lists wait for it;
    taking: the threads that events may hold at once, so that answers always have theirs;
    keyring: who may ask; limits: and how often."""

    settings: Settings
    domain: Domain
    graph: Graph
    working: Graph
    serving: Serving
    recommender: Recommender
    breaker: GraphBreaker
    prepared: threading.Event
    stream: EventStream
    letters: DeadLetters
    lists: ServedLists
    taking: CapacityLimiter
    keyring: Keyring
    limits: RateLimits


@contextmanager
def open_state(settings: Settings, neo4j: Neo4jSettings) -> Generator[State]:
    """The state of one process; a thread keeps it up with the graph until it is closed."""
    domain = load_domain(settings.domain)
    check_budget(domain, settings.graph_patience_s)
    # The server gives up a little later than we do: its own word for it would come too late.
    patience = replace(SERVING, query=settings.graph_patience_s + 0.1)
    with (
        Graph.from_settings(neo4j, patience) as graph,
        Graph.from_settings(neo4j, WRITING) as working,
    ):
        breaker = GraphBreaker(settings.graph_patience_s)
        serving = Serving(graph, settings.artifacts, breaker)
        stream = open_stream(settings)
        # People wait for their list to be kept as long as for the graph, no longer.
        keeping = open_stream(settings, settings.graph_patience_s)
        lists = ServedLists(keeping)
        recommender = Recommender(serving, domain, lists)
        keyring = Keyring(graph, settings.root / "keys.json")
        _read_keys(keyring)
        state = State(
            settings,
            domain,
            graph,
            working,
            serving,
            recommender,
            breaker,
            threading.Event(),
            stream,
            DeadLetters(stream, settings.dead_letters_most),
            lists,
            CapacityLimiter(TAKERS),
            keyring,
            RateLimits(settings.redis_url.get_secret_value() or DEFAULT_REDIS),
        )
        stopped = threading.Event()
        keeper = threading.Thread(target=_keep_up, args=(state, stopped), name="keep-up")
        keeper.start()
        try:
            yield state
        finally:
            stopped.set()
            keeper.join()
            recommender.close()
            breaker.close()
            stream.close()
            keeping.close()


def _keep_up(state: State, stopped: threading.Event) -> None:
    """Watch the graph: create the schema once it is there, map each version as soon as it serves.

    What is wrong is logged when it begins and when it ends, not all the time in between.
    """
    wrong = ""
    while not stopped.is_set():
        before, wrong = wrong, ""
        # Each by itself: an artifact that cannot be read must not keep the schema from being made.
        for step in (state.serving.refresh, lambda: _renew_keys(state), lambda: _prepare(state)):
            wrong = _trouble(step) or wrong
        # A version that came later than the schema.
        wrong = wrong or _trouble(state.recommender.warm)
        # Last, as it may take long, and not while the graph is away: one trouble is one sentence.
        wrong = wrong or _trouble(lambda: _renew_rankings(state))
        if wrong != before:
            log.warning("%s", f"not up to date with the graph: {wrong}" if wrong else "up to date")
        stopped.wait(KEEP_UP_S)


def _read_keys(keyring: Keyring) -> None:
    """Know whom to let in before anybody is: with more patience than an answer's, for a graph that
    has just begun is slow to its first questions."""
    patient = GraphBreaker(FIRST_READ_S, readers=1)
    if _trouble(lambda: patient.call(keyring.refresh)):
        keyring.recall()
    patient.close()


def _renew_keys(state: State) -> None:
    """Read the keys again, unless it was just found that the graph is away."""
    if not state.breaker.is_open:
        state.keyring.refresh()


def _prepare(state: State) -> None:
    """Create the schema, have the server plan an answer's statements, and finish what a process
    that was killed had begun; once."""
    if not state.prepared.is_set():
        state.breaker.writing(create_schema, state.working, state.domain)
        state.recommender.warm()
        state.prepared.set()
        state.breaker.writing(finish_erasures, state.working)


def _renew_rankings(state: State) -> None:
    state.breaker.writing(state.recommender.rankings.renew, state.working)


def _trouble(step: Callable[[], None]) -> str:
    """What went wrong in `step`, or nothing: whoever keeps up must not end."""
    try:
        step()
    except (PathlightError, ArtifactError) as error:
        return str(error)
    except Exception as error:
        return f"an error of ours: {type(error).__name__}: {error}"
    return ""


async def get_state(request: Request) -> State:
    return request.state.pathlight


Current = Annotated[State, Depends(get_state)]
