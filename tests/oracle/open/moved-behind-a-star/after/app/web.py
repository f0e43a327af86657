from .low import *
