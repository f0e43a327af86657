import re


class Word:
    @property
    def re(self) -> re.Pattern:
        return re.compile("b")


live = Word()
