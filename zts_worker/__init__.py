"""Workers: `celery -A zts_worker worker` finds the application in `zts_worker.celery`."""
