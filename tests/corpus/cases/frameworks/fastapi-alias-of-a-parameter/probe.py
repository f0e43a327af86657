def before():
    import app
    from fastapi.testclient import TestClient
    client = TestClient(app.app)
    client.get("/openapi.json")
    return client


def after(client):
    assert client.get("/search/tea?limit=20").status_code == 422
    assert client.get("/search/tea?limit=9").json() == {"kind": "tea", "limit": 9}
    parameters = client.get("/openapi.json").json()["paths"]["/search/{kind}"]["get"]["parameters"]
    assert [p["schema"].get("maximum") for p in parameters] == [None, 10], parameters
