from fastapi import FastAPI

from shop import books, health

app = FastAPI()
app.include_router(books.router)
app.include_router(health.router)


@app.get("/{name}")
def page(name: str):
    return f"page {name}"
