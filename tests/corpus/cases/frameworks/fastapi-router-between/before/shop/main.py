from fastapi import FastAPI

from shop import books

app = FastAPI()
app.include_router(books.router)


@app.get("/{name}")
def page(name: str):
    return f"page {name}"
