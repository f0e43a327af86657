from fastapi import FastAPI

from shop import api

app = FastAPI()


@app.get("/first")
def first():
    return "first"


app.include_router(api.router, prefix="/v1")


@app.get("/{rest:path}")
def rest(rest: str):
    return f"rest {rest}"
