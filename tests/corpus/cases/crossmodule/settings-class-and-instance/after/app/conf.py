from app.base import SECONDS


class Settings:
    timeout = SECONDS * 2
    retries = 4


class Production(Settings):
    debug = False


settings = Production()
settings.retries = 9
