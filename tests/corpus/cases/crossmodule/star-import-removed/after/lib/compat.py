from .core import a
