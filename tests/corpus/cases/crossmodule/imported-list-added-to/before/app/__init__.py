from app import core, shop
