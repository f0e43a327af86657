from contextlib import asynccontextmanager

from fastapi import APIRouter

BEGAN = []


@asynccontextmanager
async def lifespan(app):
    BEGAN.append("api")
    yield


items_router = APIRouter(lifespan=lifespan)


@items_router.get("/items")
def items():
    return "items"
