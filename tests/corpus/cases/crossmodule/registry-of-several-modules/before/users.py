from app import route


@route("/users")
def users():
    return "users"


@route("/users/me", name="me")
def me():
    return "me"
