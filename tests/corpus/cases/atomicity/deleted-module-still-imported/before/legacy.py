def answer():
    return "old"
