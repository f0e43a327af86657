import string


class Greeting(string.Template):
    delimiter = "%"


TEXT = Greeting("%name $name")
