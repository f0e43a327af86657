def before():
    from db import models
    return models


def after(models):
    assert models.User().label() == "v1"
    assert models.User.__table__.c.name.type.length == 30
