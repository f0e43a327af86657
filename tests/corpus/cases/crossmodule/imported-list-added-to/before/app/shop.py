from app.core import BUILTIN as SHARED
from app.core import KINDS

MORE = ["shop"]
SHARED += MORE + ["late"]
KINDS.update({"shop": 2})


def shown():
    return list(SHARED), dict(KINDS)
