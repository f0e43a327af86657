from typing import Annotated

import settings
from settings import KIND, LIMIT


class Query:
    made = 0

    def __init__(self, at_most=0):
        self.at_most = at_most
        Query.made += 1


class Client:
    def __init__(self, size=LIMIT, *, query=Query(), top=settings.LIMIT):
        self.size, self.query, self.top = size, query, top


def search(text: Annotated[str, Query()], kind: KIND, limit: int = LIMIT, on=Query(), key=lambda n: len(str(n))):
    return limit, key(limit)
