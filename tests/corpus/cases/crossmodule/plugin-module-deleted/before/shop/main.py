from shop import basic, extra
