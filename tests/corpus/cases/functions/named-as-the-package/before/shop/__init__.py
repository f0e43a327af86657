from shop.api import basket, total

for function in (basket, total):
    function.__module__ = "shop"
