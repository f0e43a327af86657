def retrying(function):
    calls = []

    def wrapper(*args, times: "int | None" = 2, seen=calls, unit="s"):
        seen.append(times)
        return [function(*args) for _ in range(times)]
    return wrapper


@retrying
def ping():
    return "pong"
