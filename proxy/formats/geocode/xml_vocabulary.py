"""Elements and attributes of a GeocodeFeed (geocode.md, 2.1 and 3.3), and how to write them."""

import re

from proxy.text import strip_invalid_xml

NAMESPACE = "http://schemas.microsoft.com/search/local/2010/5/geocode"
ROOT, ENTITY = "GeocodeFeed", "GeocodeEntity"
FORWARD, REVERSE = "GeocodeRequest", "ReverseGeocodeRequest"

# In the order in which an echo has them. A version that lacks one leaves it out.
REQUEST_ATTRIBUTES = {
    FORWARD: ("Culture", "IncludeNeighborhood", "MaxResults", "Query", "IncludeQueryParse", "StrictMatch"),
    REVERSE: ("Culture", "IncludeEntityTypes", "IncludeNeighborhood", "MaxResults"),
}
CHILD_ATTRIBUTES = {
    FORWARD: {
        "Address": (
            "AddressLine", "AdminDistrict", "CountryRegion", "AdminDistrict2", "District", "FormattedAddress",
            "Locality", "PostalCode", "PostalTown", "Landmark",
        ),
        "ConfidenceFilter": ("MinimumConfidence",),
    },
    REVERSE: {"Location": ("Latitude", "Longitude"), "ConfidenceFilter": ("MinimumConfidence",)},
}  # fmt: skip
ONLY_VERSION_2 = {"StrictMatch"}
BOOLEANS = {"IncludeNeighborhood", "IncludeQueryParse", "StrictMatch"}
INTEGERS = {"MaxResults"}
NUMBERS = {"Latitude", "Longitude"}

_NOT_PLAIN = re.compile("[^ !#-%'-;=?-~]")
# Decimal references, as in query-api.md; readers take either form.
_IN_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_IN_ATTRIBUTE = _IN_TEXT | str.maketrans({'"': "&quot;", "\n": "&#10;", "\t": "&#9;"})


def write_attribute(name: str, value: str) -> str:
    """An attribute with a blank before it; nothing where the value is empty."""
    if not value:
        return ""
    if _NOT_PLAIN.search(value):
        value = strip_invalid_xml(value.translate(_IN_ATTRIBUTE))
    return f' {name}="{value}"'


def write_text(value: str) -> str:
    """The content of an element."""
    return strip_invalid_xml(value.translate(_IN_TEXT))
