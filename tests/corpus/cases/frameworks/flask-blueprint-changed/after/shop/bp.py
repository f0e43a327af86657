from flask import Blueprint, g
from flask.views import MethodView

bp = Blueprint("bp", __name__)


@bp.app_errorhandler(410)
def lost(error):
    return "lost1", 404


@bp.route("/<key>", methods=["GET", "POST"])
def by_key(key):
    return f"key {key} {g.get('marked', False)}"


@bp.route("/<name>", methods=["GET", "PUT"])
def by_name(name):
    return f"name {name} {g.get('marked', False)}"


@bp.route("/<slug>")
def by_slug(slug):
    return f"slug {slug}"


class Item(MethodView):
    def get(self, number):
        return f"get {number}"

    def delete(self, number):
        return f"delete {number}"


bp.add_url_rule("/things/<int:number>", view_func=Item.as_view("item"))
