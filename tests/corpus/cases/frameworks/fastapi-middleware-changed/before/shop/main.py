from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware

app = FastAPI()
old = APIRouter(prefix="/old")


class Count:
    seen = 0

    def __init__(self, app):
        self.app, self.requests = app, 0

    async def __call__(self, scope, receive, send):
        self.requests += 1
        Count.seen = self.requests
        await self.app(scope, receive, send)


app.add_middleware(CORSMiddleware, allow_origins=["http://a.example"])
app.add_middleware(Count)
app.add_middleware(GZipMiddleware, minimum_size=1)


@app.exception_handler(RequestValidationError)
async def invalid(request, error):
    return JSONResponse({"invalid": True}, 400)


@old.get("/thing")
def thing():
    return "thing"


app.include_router(old)


@app.get("/number/{n}")
def number(n: int):
    return n
