"""Metrics in Prometheus' text format."""

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from api.metrics import exposition
from api.state import Current

router = APIRouter(tags=["health"])


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def metrics(request: Request, state: Current) -> Response:
    """Lag, offsets and counts of the stream, and this process's requests: always 200."""
    text = exposition(state, request.app.state.requests)
    return Response(text, media_type=CONTENT_TYPE_LATEST)
