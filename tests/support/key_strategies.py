"""Texts that a key, a filter or a URL could be broken with."""

from urllib.parse import quote, unquote

from hypothesis import strategies as st

from adapters.tables.row_keys import is_valid_key

# What has a meaning in one of them, or in an odd reader of one of them.
SPICE = (
    *("'", "''", "%", "%25", "%27", "%2F", "%00", "+", "&", "=", ";", ",", "(", ")", "$", " ", '"', "|", "*", "@", ":"),
    *("/", "\\", "#", "?", "\0", "\x7f", "..", "null", "guid'1'", "X'41'", "' or '1' eq '1", "'&$top=0&'"),
    *("é", "e\u0301", "\u0130", "ß", "\u212a", "\U0001f600", "\ufeff", "\uffff", "\u200b"),
)
EXAMPLES = ("a'b", "100%25", "a+b", "a&b", "%27", "' or '1' eq '1", "a/b", "..", "a" * 600)

pieces = st.sampled_from(SPICE) | st.text(max_size=3) | st.text("aAzZ09~`!$^_={}", max_size=3)
texts = st.sampled_from(EXAMPLES) | st.lists(pieces, min_size=1, max_size=4).map("".join).filter(bool)
keys = texts.filter(is_valid_key)


def neighbours(text: str) -> set[str]:
    """What a wrong reading of the text could end up at, other letter cases of the text itself left out."""
    near = {text + "'", text + "x", text[:-1], text.partition("&")[0], text.partition("'")[0]}
    near |= {text.replace("'", "''"), text.replace("'", ""), text.replace("+", " ")}
    near |= {quote(text, safe=""), unquote(text)}
    return {
        other for other in near if other and is_valid_key(f"alias:download:{other}") and other.lower() != text.lower()
    }
