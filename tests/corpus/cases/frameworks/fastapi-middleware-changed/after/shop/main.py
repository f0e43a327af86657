from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.cors import CORSMiddleware

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


class Version(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        answer = await call_next(request)
        answer.headers["x-version"] = "2"
        return answer


app.add_middleware(CORSMiddleware, allow_origins=["http://b.example"])
app.add_middleware(Version)
app.add_middleware(Count)


@old.get("/thing")
def thing():
    return "thing"


@app.get("/number/{n}")
def number(n: int):
    return n
