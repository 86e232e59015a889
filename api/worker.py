"""The front door of Celery's worker and scheduler: `celery -A api.worker`. Nothing imports this."""

from api.loop.tasks import create_celery
from api.settings import Settings

app = create_celery(Settings())
