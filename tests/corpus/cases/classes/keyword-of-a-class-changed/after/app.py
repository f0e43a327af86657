PLUGINS = {}


class Plugin:
    def __init_subclass__(cls, name=None, **options):
        super().__init_subclass__(**options)
        PLUGINS[name] = cls
        cls.name = name


class Mail(Plugin, name="post"):
    def send(self):
        return self.name.upper()


MAIL = Mail()
