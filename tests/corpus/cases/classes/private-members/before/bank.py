class Account:
    __rate = 2
    __limit: int = 10

    def __interest(self, amount):
        return amount * self.__rate

    def total(self, amount):
        return min(amount + self.__interest(amount), self.__limit)
