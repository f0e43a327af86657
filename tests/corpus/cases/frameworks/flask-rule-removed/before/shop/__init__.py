from flask import Flask

from shop import items

app = Flask(__name__)
app.register_blueprint(items.bp, url_prefix="/items")
