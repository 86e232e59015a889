"""What the loop's tests can leave out of a step."""

import pytest

from api.loop import cycle


@pytest.fixture
def without_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exports encode no texts: the process that does loads a model."""
    run_step = cycle.run_step

    def run(module: str, *given, **named) -> None:
        if module != "ingest":
            run_step(module, *given, **named)

    monkeypatch.setattr(cycle, "run_step", run)
