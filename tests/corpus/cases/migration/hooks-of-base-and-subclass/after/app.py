class Account:
    def __init__(self, cents):
        self.money = cents, "EUR"

    @INSTANCE_HOOK@
        self.money = self.__dict__.pop("cents"), "EUR"


class Savings(Account):
    def __init__(self, cents, rate):
        super().__init__(cents)
        self.percent = rate

    @INSTANCE_HOOK@
        super().__code_change__(old)
        self.percent = self.__dict__.pop("rate")


ACCOUNTS = [Account(100), Savings(200, 2)]
