"""The front door of Celery's worker and scheduler: `celery -A api.worker`. Nothing imports this."""

from api.settings import Settings
from api.tasks import create_celery

app = create_celery(Settings())
