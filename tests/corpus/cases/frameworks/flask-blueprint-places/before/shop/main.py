from flask import Blueprint, Flask, g

from shop.cart import cart

promos = Blueprint("promos", __name__)


@promos.get("/sale/<path:rest>")
def sale(rest):
    return f"sale {rest}"


app = Flask("shop")


@app.before_request
def first():
    g.seen = (*g.get("seen", ()), "first")


app.register_blueprint(cart, url_prefix="/cart")


@app.before_request
def last():
    g.seen = (*g.get("seen", ()), "last")


@app.get("/seen")
def seen():
    return ",".join(g.seen)


@app.get("/sale/<path:rest>")
def any_sale(rest):
    return f"any {rest}"
