from app import route


@route("/{anything}")
def anything():
    return "fallback"
