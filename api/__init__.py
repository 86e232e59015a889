"""The outermost layer: HTTP, serving, Celery, the command line and the local stack."""
