from shop import basic
