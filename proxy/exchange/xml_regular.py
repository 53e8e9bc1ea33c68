"""The quick way to read XML entities: one regular expression for an entity in the form that writers give it.

That form is a part of XML: the schema's elements in the schema's order, each at most once, without attributes,
comments, references or anything else that has a meaning of its own; what matches is well-formed and means what it says.
All else is left to the parser.
"""

import re

from proxy.exchange.schema_rules import Declared

# No <, > or &, and nothing that XML forbids or changes in reading, like a carriage return.
_VALUE = rb"[^<>&\x00-\x08\x0b-\x1f]*+"


def regular_entity(declared: Declared) -> re.Pattern[bytes]:
    """Matches one entity and the white space before it; a group for each property, None where it is missing.

    All repetition is possessive, so a text that doesn't match costs no more than one that does.
    """
    entity = re.escape(declared.name.encode())
    names = [re.escape(property_.name.encode()) for property_ in declared.properties]
    values = b"".join(rb"(?:[ \t\r\n]*+<%b>(%b)</%b>)?+" % (name, _VALUE, name) for name in names)
    return re.compile(rb"[ \t\r\n]*+<%b>%b[ \t\r\n]*+</%b>" % (entity, values, entity))
