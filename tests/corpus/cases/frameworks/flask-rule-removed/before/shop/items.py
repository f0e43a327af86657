from flask import Blueprint
from flask.views import MethodView

bp = Blueprint("items", __name__)


class Item(MethodView):
    def get(self, name):
        return name


bp.add_url_rule("/<name>", view_func=Item.as_view("item"))
bp.add_url_rule("/<name>/history", view_func=Item.as_view("history"))
