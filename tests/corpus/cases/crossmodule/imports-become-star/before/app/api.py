def get():
    return "get"
