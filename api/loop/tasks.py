"""Celery's side of the loop: triggers. The graph remembers what is to be done and what was.

A message may be lost or doubled without harm: the sweep sends again what nobody holds, and a job
is claimed in the graph before anything is done.
"""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from celery import Celery, shared_task
from celery.schedules import schedule

from api.loop.jobs import KINDS, Workplace, request_retrain, run_job
from api.settings import Settings, redis_database
from graphdb.answers.served import remove_served
from graphdb.connection import Graph, Neo4jSettings
from graphdb.domain import load_domain
from graphdb.jobs import list_due

QUEUE, TRAINING_QUEUE = "pathlight", "training"
FORGET_S = 600


def create_celery(settings: Settings) -> Celery:
    """The Celery application on the settings' Redis, with its schedule."""
    url = redis_database(settings.redis_url.get_secret_value(), 1)
    app = Celery("pathlight", broker=url, include=["api.loop.tasks"])
    app.conf.update(
        accept_content=["json"],
        task_serializer="json",
        task_ignore_result=True,
        task_default_queue=QUEUE,
        worker_prefetch_multiplier=1,
        # Early acknowledgement: the graph's leases bring lost work back, once, not the broker.
        task_acks_late=False,
        broker_connection_retry_on_startup=True,
        # A half-dead broker would otherwise hang a publish.
        broker_transport_options={"socket_timeout": 10, "socket_connect_timeout": 5},
        worker_hijack_root_logger=False,
        beat_schedule={
            "retrain": {
                "task": "pathlight.retrain",
                "schedule": schedule(settings.retrain_minutes * 60),
            },
            "sweep": {
                "task": "pathlight.sweep",
                "schedule": schedule(settings.sweep_s),
                "options": {"expires": settings.sweep_s},
            },
            "forget": {
                "task": "pathlight.forget",
                "schedule": schedule(FORGET_S),
                "options": {"expires": FORGET_S},
            },
        },
    )
    app.set_default()
    return app


@shared_task(name="pathlight.retrain")
def retrain() -> None:
    """Ask for a whole cycle and start it."""
    with _workplace() as place:
        send(place.settings, request_retrain(place.graph), "export")


@shared_task(name="pathlight.sweep")
def sweep() -> None:
    """Send every job that nobody holds: new ones, and those whose worker was lost.

    Kinds that are not known here belong to another release's workers.
    """
    with _workplace() as place:
        for job in list_due(place.graph):
            if job["kind"] in KINDS:
                send(place.settings, job["key"], job["kind"])


@shared_task(name="pathlight.forget")
def forget() -> None:
    """Remove the served lists that are too old or too many. Two at once do no harm."""
    with _workplace() as place:
        settings = place.settings
        oldest = datetime.now(UTC) - timedelta(days=settings.served_days)
        remove_served(place.graph, oldest, settings.served_most)


@shared_task(name="pathlight.run")
def run(key: str) -> None:
    """Run one job, and start the one that follows."""
    with _workplace() as place:
        followed = run_job(place, key)
        if followed is not None:
            send(place.settings, followed, followed.partition(":")[0])


def send(settings: Settings, key: str, kind: str) -> None:
    """Send a job to its queue; one that waits longer than a sweep is dropped, and sent again."""
    queue = TRAINING_QUEUE if kind == "train" else QUEUE
    run.apply_async((key,), queue=queue, expires=2 * settings.sweep_s)


@contextmanager
def _workplace() -> Generator[Workplace]:
    """Opened in the process that runs the task: drivers do not survive a fork."""
    settings, neo4j = Settings(), Neo4jSettings()
    with Graph.from_settings(neo4j) as graph:
        yield Workplace(settings, neo4j, graph, load_domain(settings.domain))
