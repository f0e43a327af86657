import app
import client


def before():
    assert (client.DELAYS, client.BUDGET, client.HEADER) == ((1, 2), (2, 3, "2 tries"), "X-Retries: 2")
    assert app.TOTAL == 5


def after(state):
    assert client.DELAYS == (1, 2, 4, 8, 16)
    assert client.BUDGET == (5, 31, "5 tries")
    assert client.HEADER == "X-Retries: 5"
    assert app.LIMITS == client.BUDGET
    assert app.TOTAL == 36
