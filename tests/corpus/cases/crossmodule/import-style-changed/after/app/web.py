import app.sub


@app.sub.on("new")
def handle():
    return 1
