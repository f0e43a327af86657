from app import route


@route("/people")
def users():
    return "people"


@route("/people/new")
def new():
    return "new"


@route("/people/me", name="myself")
def me():
    return "me"
