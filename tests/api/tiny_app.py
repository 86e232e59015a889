"""What a test's stack serves in place of the real API: it tells what it was told."""

import os

from fastapi import FastAPI


def create_app() -> FastAPI:
    app = FastAPI()

    @app.get("/health/ready")
    def ready() -> dict[str, str]:
        return {"status": "ready"}

    @app.get("/told")
    def told() -> dict[str, str]:
        return {name: value for name, value in os.environ.items() if name.startswith("PATHLIGHT_")}

    return app
