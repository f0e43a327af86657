from flask import Blueprint, g

cart = Blueprint("cart", __name__)


@cart.get("/items/<name>")
def item(name):
    return f"item {name}"


@cart.get("/items/all/<path:rest>")
def everything(rest):
    return f"all {rest}"


@cart.errorhandler(404)
def lost(error):
    return "no such cart", 404
