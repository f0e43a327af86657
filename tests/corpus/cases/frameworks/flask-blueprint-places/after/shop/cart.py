from flask import Blueprint, g

cart = Blueprint("cart", __name__)


@cart.get("/items/<path:name>")
def item(name):
    return f"item {name}"


@cart.get("/items/<path:rest>")
def everything(rest):
    return f"all {rest}"


@cart.before_app_request
def note():
    g.seen = (*g.get("seen", ()), "cart")
