from typing import Annotated

from fastapi import FastAPI, Path, Query

app = FastAPI()
Limit = Annotated[int, Query(ge=1, le=50)]


@app.get("/search/{kind}")
async def search(kind: Annotated[str, Path()], limit: Limit = 5):
    return {"kind": kind, "limit": limit}
