"""Cuts texts of any length to what a page has room for."""

_ESCAPED = {"&": 5, "<": 4, ">": 4, '"': 5, "'": 5}
"""Bytes of the characters that HTML escapes."""
_MOST_BYTES = 5


def cut(text: str, most: int) -> str:
    """A text whole, where its HTML has at most so many bytes; else its begin, and a word on its length."""
    place = find_cut(text, most)
    return text if place == len(text) else f"{text[:place]}… (cut: {len(text):,} characters)"


def find_cut(text: str, most: int) -> int:
    """The number of a text's first characters that HTML of so many bytes has room for."""
    if len(text) * _MOST_BYTES <= most:
        return len(text)
    size = 0
    for place, character in enumerate(text):
        size += _ESCAPED.get(character) or len(character.encode(errors="replace"))
        if size > most:
            return place
    return len(text)
