"""Health: alive says that the process answers, ready that it can do its work."""

from fastapi import APIRouter, Response
from pydantic import BaseModel

from api.problems import responses
from api.state import Current
from graphdb.errors import PathlightError
from graphdb.versions.slots import is_indexed
from graphdb.versions.versions import fetch_serving

router = APIRouter(tags=["health"])


class Live(BaseModel):
    status: str = "alive"


class Ready(BaseModel):
    """`status`: ready, or not_ready. model_version: what answers come from, if any; degraded:
    `artifact` while its files cannot be read, and answers come from the graph alone, `index` while
    its vector index is gone, failed or not full yet, and answers score everything."""

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
    mapped, degraded = state.serving.version, []
    version = mapped.id if mapped else None
    try:
        serving = state.breaker.call(fetch_serving, state.graph)
        graph = True
        if serving and serving["id"] == state.serving.unreadable:
            version = serving["id"]
            degraded.append("artifact")
        if serving and not state.breaker.call(is_indexed, state.graph, serving["slot"]):
            degraded.append("index")
    except PathlightError:
        graph = False
    ready = graph and state.prepared.is_set()
    if not ready:
        response.status_code = 503
    return Ready(
        status="ready" if ready else "not_ready",
        graph=graph,
        model_version=version,
        degraded=degraded,
    )
