"""The receiver's HTTP side. `asgi` is the middleware that an app gets; `app` is the FastAPI sub-app behind the prefix.

Only `asgi` is imported when a receiver is mounted; FastAPI is imported at the first request below the prefix.
"""
