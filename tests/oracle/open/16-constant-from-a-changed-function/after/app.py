def rate(): return 3
RATE = rate() * 10
