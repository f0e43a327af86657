from fastapi import FastAPI

from shop import api

app = FastAPI()


@app.get("/first")
def first():
    return "first"


app.include_router(api.items_router, prefix="/v2")


@app.get("/{rest:path}")
def rest(rest: str):
    return f"rest {rest}"
