class AppError(Exception):
    def answer(self):
        return self.code, str(self)


class ClientError(AppError):
    code = 400


class NotFound(ClientError, LookupError):
    code = 410
