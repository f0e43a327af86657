class Account:
    __rate = 3
    __limit: int = 100
    __fee = __rate + 1

    def __interest(self, amount, years=2):
        return amount * self.__rate * years

    def total(self, amount):
        return min(amount + self.__interest(amount) + self.__fee, self.__limit)
