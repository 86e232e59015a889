"""The reference of benchmarks.serving: a synchronous route that does RETURN 1, and nothing else."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request

from graphdb.connection import SERVING, Graph, Neo4jSettings


def create_app() -> FastAPI:
    """One route on the same driver, pool and settings as the API's."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[dict[str, Graph]]:
        with Graph.from_settings(Neo4jSettings(), SERVING) as graph:
            yield {"graph": graph}

    app = FastAPI(lifespan=lifespan)

    @app.get("/one")
    def one(request: Request) -> dict[str, int]:
        # The driver itself: what Graph adds is part of what is measured on the other side.
        driver, database = request.state.graph._driver, request.state.graph.database
        return dict(driver.execute_query("RETURN 1 AS one", database_=database).records[0])

    return app
