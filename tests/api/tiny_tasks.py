"""A Celery application that a test's stack runs in place of the real one."""

import os

from celery import Celery

from api.settings import redis_database

app = Celery("tiny", broker=redis_database(os.environ["PATHLIGHT_REDIS_URL"], 1))
app.conf.task_default_queue = "pathlight"
