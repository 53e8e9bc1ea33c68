"""The quick way to read XML entities: one regular expression for an entity in the form that writers give it.

That form is a part of XML: the schema's elements in the schema's order, each at most once, without attributes,
comments or anything else that has a meaning of its own, but `&amp;` and its like; what matches is well-formed. All else
is left to the parser.
"""

import re

from proxy.formats.schema_validation import DeclaredSchema

# Nothing that XML forbids or changes in reading, like a carriage return; of references, those that have names.
_PLAIN = rb"[^<>&\x00-\x08\x0b-\x1f]*+"
_VALUE = rb"%b(?:&(?:amp|lt|gt|quot|apos);%b)*+" % (_PLAIN, _PLAIN)
_REFERENCES = ((b"&lt;", b"<"), (b"&gt;", b">"), (b"&quot;", b'"'), (b"&apos;", b"'"), (b"&amp;", b"&"))


def regular_entity(declared: DeclaredSchema) -> re.Pattern[bytes]:
    """Matches one entity and the white space before it; a group for each property, None where it is missing.

    All repetition is possessive, so a text that doesn't match costs no more than one that does.
    """
    entity = re.escape(declared.name.encode())
    names = [re.escape(property_.name.encode()) for property_ in declared.properties]
    values = b"".join(rb"(?:[ \t\r\n]*+<%b>(%b)</%b>)?+" % (name, _VALUE, name) for name in names)
    return re.compile(rb"[ \t\r\n]*+<%b>%b[ \t\r\n]*+</%b>" % (entity, values, entity))


def without_references(values: tuple[bytes | None, ...]) -> tuple[bytes | None, ...]:
    """The values of an entity that has references in it."""
    return tuple(_resolved(value) if value and b"&" in value else value for value in values)


def _resolved(value: bytes) -> bytes:
    for reference, character in _REFERENCES:  # &amp; is last: what it makes is no reference
        value = value.replace(reference, character)
    return value
