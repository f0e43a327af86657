from app.bus import on


@on("sent")
def first():
    return "first"


@on("paid")
def second():
    return "second"
