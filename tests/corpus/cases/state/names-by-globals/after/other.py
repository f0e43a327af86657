from app import get_a

HELD = [get_a]
