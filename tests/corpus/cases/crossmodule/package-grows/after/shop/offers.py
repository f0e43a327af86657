from .goods import Item


class Offer(Item):
    def show(self):
        return "offer", super().show()
