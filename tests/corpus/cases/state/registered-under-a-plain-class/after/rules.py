import re

from kinds import Word

RULES: dict[str, re.Pattern[str]] = {"word": re.compile(Word.pattern), "end": re.compile("$")}
