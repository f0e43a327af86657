def rate(): return 2
RATE = rate() * 10
