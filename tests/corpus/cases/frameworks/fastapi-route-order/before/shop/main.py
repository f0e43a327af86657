from fastapi import APIRouter, FastAPI

app = FastAPI()
router = APIRouter(prefix="/orders")


@router.get("/{number}")
def one(number: str):
    return {"number": number}


@router.get("/open")
def open_ones():
    return {"open": []}


app.include_router(router)


@app.get("/{page}")
def page(page: str):
    return {"page": page}
