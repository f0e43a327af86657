import app.sub


@app.sub.on("old")
def handle():
    return 1
