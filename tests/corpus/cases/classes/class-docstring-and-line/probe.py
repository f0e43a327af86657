import inspect
import sys


def before():
    from app import model
    assert model.Model.__doc__ == "Slow."
    return model.Model


def after(cls):
    from app import model
    assert model.Model is cls
    assert cls.__doc__ == "Slow, but complete."
    if sys.version_info >= (3, 13):
        assert cls.__firstlineno__ == 6
        assert set(cls.__static_attributes__) == {"rows", "total"}
    assert "complete" in inspect.getsource(cls)
