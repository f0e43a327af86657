from flask import Flask

from shop.bp import bp

app = Flask(__name__)
app.register_blueprint(bp, url_prefix="/in")


@app.get("/")
def index():
    return "index"
