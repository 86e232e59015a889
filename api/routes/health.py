"""Health: alive says that the process answers, ready that it can do its work."""

from fastapi import APIRouter, Response
from pydantic import BaseModel

from api.problems import responses
from api.state import Current
from graphdb.errors import PathlightError
from graphdb.versions.slots import is_indexed

router = APIRouter(tags=["health"])


class Live(BaseModel):
    status: str = "alive"


class Ready(BaseModel):
    """`status`: ready, or not_ready. model_version: what answers come from, if any; degraded:
    `index` while its vector index is gone, failed or not full yet, and answers score everything."""

    status: str
    graph: bool
    model_version: str | None
    degraded: list[str]


@router.get("/health/live")
async def live() -> Live:
    """Always 200 while the process runs, whatever its threads wait for."""
    return Live()


@router.get("/health/ready", responses=responses(503))
def ready(state: Current, response: Response) -> Ready:
    """200 when the graph answers and has its schema; 503 otherwise, though answers from memory
    may go on."""
    version, degraded = state.serving.version, []
    try:
        state.breaker.call(state.graph.verify)
        graph = True
        if version and not state.breaker.call(is_indexed, state.graph, version.slot):
            degraded.append("index")
    except PathlightError:
        graph = False
    ready = graph and state.prepared.is_set()
    if not ready:
        response.status_code = 503
    return Ready(
        status="ready" if ready else "not_ready",
        graph=graph,
        model_version=version.id if version else None,
        degraded=degraded,
    )
