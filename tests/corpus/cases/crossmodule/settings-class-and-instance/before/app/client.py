from app import conf
from app.conf import Production, settings

LIMIT = settings.timeout + 1
HARD = Production.timeout * 10
THERE = conf.settings.timeout
TRIES = settings.retries
STATE = {"timeout": settings.timeout}


def fetch(timeout=settings.timeout):
    return timeout


class Client:
    timeout = Production.timeout
