def retrying(function):
    calls = []

    def wrapper(*args, times: int = 1, seen=calls):
        seen.append(times)
        return [function(*args) for _ in range(times)]
    return wrapper


@retrying
def ping():
    return "pong"
