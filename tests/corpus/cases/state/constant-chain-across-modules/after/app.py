from client import BUDGET as LIMITS

TOTAL = LIMITS[1] + LIMITS[0]
