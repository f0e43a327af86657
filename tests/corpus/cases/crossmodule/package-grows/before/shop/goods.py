class Item:
    def show(self):
        return "item"
