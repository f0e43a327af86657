from functools import partial

import app

CALLBACK = partial(app.convert, 10)


class Job:
    def __init__(self):
        self.convert = app.convert


JOB = Job()
