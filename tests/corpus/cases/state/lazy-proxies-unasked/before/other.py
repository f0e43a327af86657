from app import LIMIT, View, request, user

SEEN = [user, request, View]
TWICE = LIMIT * 2
