import string


class Greeting(string.Template):
    delimiter = "$"

    def loud(self, **given):
        return self.substitute(**given).upper()


TEXT = Greeting("%name $name")
