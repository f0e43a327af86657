from flask import Blueprint, g
from flask.views import MethodView

bp = Blueprint("bp", __name__)


@bp.before_request
def mark():
    g.marked = True


@bp.app_errorhandler(404)
def lost(error):
    return "lost1", 404


@bp.route("/<name>")
def by_name(name):
    return f"name {name} {g.get('marked', False)}"


@bp.route("/<slug>")
def by_slug(slug):
    return f"slug {slug}"


class Item(MethodView):
    def get(self, number):
        return f"get {number}"


bp.add_url_rule("/item/<int:number>", view_func=Item.as_view("item"))
