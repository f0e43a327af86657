from money import convert, fetch
