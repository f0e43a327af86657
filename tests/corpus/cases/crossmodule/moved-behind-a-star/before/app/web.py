from .low import *


class Item:
    pass
