import os


def before():
    os.environ["DJANGO_SETTINGS_MODULE"] = "site_app.settings"
    import django

    django.setup()
    from django.test import Client

    client = Client()
    assert client.get("/abc/").content == b"abc" and client.get("/abcde/").status_code == 404
    return client


def step(i, name, client):
    assert client.get("/abc/").content == b"abc"
    assert client.get("/abcde/").status_code == (200 if name == "after" else 404), f"swap {i}"
    assert client.get("/health/").status_code == (200 if name == "before" else 404), f"swap {i}"


def after(client):
    step(2, "after", client)


def fresh():
    os.environ["DJANGO_SETTINGS_MODULE"] = "site_app.settings"
    import django

    django.setup()
    from django.test import Client

    after(Client())
