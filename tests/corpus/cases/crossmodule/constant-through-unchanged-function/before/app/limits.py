from app.rates import scaled

LIMIT = scaled(10)
STATE = [LIMIT]
