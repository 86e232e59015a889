"""The reference of benchmarks.ingest_rest: a synchronous route that does one XADD and nothing else.

Its Redis is the stack's, which syncs its file at every write.
"""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Body, FastAPI, Request
from redis import Redis

from api.settings import redis_database


def create_app() -> FastAPI:
    """One route on a Redis database of its own."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[dict[str, Redis]]:
        with Redis.from_url(redis_database(os.environ["PATHLIGHT_REDIS_URL"], 3)) as redis:
            redis.delete("events")
            yield {"redis": redis}

    app = FastAPI(lifespan=lifespan)

    @app.post("/one", status_code=202)
    def one(request: Request, body: Annotated[dict[str, Any], Body()]) -> dict[str, str]:
        id = request.state.redis.xadd("events", {name: str(value) for name, value in body.items()})
        return {"id": id.decode()}

    return app
