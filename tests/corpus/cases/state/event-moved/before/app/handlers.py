from app.bus import on


@on("paid")
def first():
    return "first"


@on("paid")
def second():
    return "second"
