from contextlib import asynccontextmanager

from fastapi import APIRouter

BEGAN = []


@asynccontextmanager
async def lifespan(app):
    BEGAN.append("api")
    yield


router = APIRouter(lifespan=lifespan)


@router.get("/items")
def items():
    return "items"
