EVERY = []


class Field:
    def __init__(self, kind):
        self.kind = kind

    def __set_name__(self, owner, name):
        self.name = name
        if "fields" not in vars(owner):
            owner.fields, owner.order = {}, []
        owner.fields[name] = self
        owner.order.append(self)
        EVERY.append((owner, self))

    def __get__(self, instance, owner=None):
        return self if instance is None else vars(instance).get(self.name, self.kind)


class Order:
    number = Field("bigint")
    due = Field("date")
    total = Field("decimal")

    def columns(self):
        return sorted(self.fields)


ORDER = Order()
