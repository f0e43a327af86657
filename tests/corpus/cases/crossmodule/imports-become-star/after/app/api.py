__all__ = ["get"]


def get():
    return "got"
