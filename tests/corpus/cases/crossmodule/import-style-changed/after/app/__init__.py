from app.sub import *

LIMIT = LIMIT
