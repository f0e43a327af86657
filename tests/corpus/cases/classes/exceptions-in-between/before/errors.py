class AppError(Exception):
    pass


class NotFound(AppError):
    code = 404
