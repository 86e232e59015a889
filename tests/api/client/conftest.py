"""The world and the API of the routes' tests, one for the module that asks for them."""

from tests.api.routes.conftest import module_api

__all__ = ["module_api"]
