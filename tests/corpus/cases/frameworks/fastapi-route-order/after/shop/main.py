from fastapi import APIRouter, FastAPI

app = FastAPI()
router = APIRouter(prefix="/orders")
admin = APIRouter(prefix="/admin")


@router.get("/open")
def open_ones():
    return {"open": []}


@router.get("/latest")
def latest():
    return {"latest": True}


@router.get("/{number}")
def one(number: str):
    return {"number": number}


app.include_router(router)


@admin.get("")
def panel():
    return {"admin": True}


app.include_router(admin)


@app.get("/health")
def health():
    return {"ok": True}


@app.get("/{page}")
def page(page: str):
    return {"page": page}
