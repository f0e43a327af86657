from fastapi import APIRouter, FastAPI

router = APIRouter()


@router.get("/new")
def item(n: int = 1):
    return {"n": n}


def create_app():
    app = FastAPI()
    app.include_router(router, prefix="/v1")
    return app
