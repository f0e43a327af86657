import string

NAMES = ["main"]
for letter in string.ascii_uppercase[:2]:
    NAMES.append(letter)
del letter, string
