class Account:
    def __init__(self, cents):
        self.cents = cents


class Savings(Account):
    def __init__(self, cents, rate):
        super().__init__(cents)
        self.rate = rate


ACCOUNTS = [Account(100), Savings(200, 2)]
