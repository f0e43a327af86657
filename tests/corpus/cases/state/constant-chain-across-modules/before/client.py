import settings
from settings import RETRIES

DELAYS = tuple(2**n for n in range(RETRIES))
BUDGET = (RETRIES, sum(DELAYS), f"{len(DELAYS)} tries")
HEADER = "X-Retries: " + str(settings.RETRIES)
