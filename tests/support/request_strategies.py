"""Requests as strange as clients can send them."""

from dataclasses import dataclass
from urllib.parse import quote_from_bytes

from hypothesis import strategies as st

from proxy.wire.request import Format
from tests.support.live import MASTER, QUERY

KEYS = (MASTER.encode(), QUERY.encode())
WORDS = (
    "REST v1 Dataflows ListJobs LoadDataSource LoadDatasource DataSourceDownload Download Geocode DataSourceRollback"
    " data jobs $getstatus output succeeded failed . .. *"
)
TEMPLATES = (
    "Dataflows/ListJobs",
    "Dataflows/LoadDataSource/{}",
    "Dataflows/DataSourceDownload/{}",
    "Dataflows/Geocode/{}",
    "Dataflows/DataSourceRollback/{}",
    "data/jobs/{}/$getstatus",
    "Dataflows/LoadDataSource/{}/output/succeeded",
    "Dataflows/DataSourceDownload/{}/output/failed",
    "Dataflows/Download/{}/output/succeeded",
    "Dataflows/Geocode/{}/output/failed",
    "Dataflows/ListJobs/{}/output/succeeded",
    "Dataflows/LoadDataSource",
    "Dataflows/DataSourceDownload/{}/Shops",
    "Dataflows/DataSourceRollback/{}/Shops",
    "data/{}/Shops/$commit",
    "data/{}/Shops/$updatedatasource",
    "data/{}/Shops",
    "data/Shops/{}/$metadata",
)

# What a request line can carry as it is: the HTTP parser refuses controls, the rest would end a path or a parameter.
raw_bytes = st.binary(max_size=12).map(
    lambda data: bytes(byte for byte in data if byte > 32 and byte not in b"\x7f?#&=+")
)
encoded = st.binary(max_size=12).map(lambda data: quote_from_bytes(data, safe="").encode())
swapped_case = st.sampled_from(WORDS.split()).flatmap(
    lambda word: st.sampled_from([word, word.lower(), word.upper(), word.swapcase()]).map(str.encode)
)
odd_references = st.sampled_from([b"0" * 32, b"%00", b"%", b"%zz", b"%c3%28", b"'", b"'or'1'eq'1"])
references = encoded | raw_bytes | odd_references


@st.composite
def known_paths(draw: st.DrawFn, true_paths: tuple[str, ...]) -> bytes:
    """The path of an operation, of something that exists or with a strange reference."""
    if draw(st.booleans()):
        path = draw(st.sampled_from(true_paths)).encode()
    else:
        path = draw(st.sampled_from(TEMPLATES)).encode().replace(b"{}", draw(references))
    return b"/REST/v1/" + path + draw(st.sampled_from([b"", b"/"]))


any_paths = st.lists(swapped_case | encoded | raw_bytes, max_size=7).map(lambda parts: b"/" + b"/".join(parts))


@dataclass(frozen=True)
class Parameters:
    """A query, the key in it, and the format that it asks for."""

    query: bytes
    key: bytes | None
    format: Format


names_of_key = st.sampled_from([b"key", b"KEY", b"Key", b"k%65y"])
names_of_output = st.sampled_from([b"output", b"o", b"O", b"OUTPUT", b"%6F", b"outPut"])
formats = st.sampled_from([b"xml", b"XML", b"Xml", b"json", b"JSON", b"", b"%78ml", b"html", b"%", b"%ff"])
noise = st.tuples(encoded | st.sampled_from([b"clientApi", b"jsonp", b"keys", b"ou"]), encoded | raw_bytes)


@st.composite
def parameters(draw: st.DrawFn) -> Parameters:
    """Some parameters in any order; of each name the first counts."""
    key = draw(st.sampled_from([*KEYS, None])) if draw(st.booleans()) else draw(st.binary(max_size=40))
    outputs = draw(st.lists(st.tuples(names_of_output, formats), max_size=2))
    others = draw(st.lists(noise.filter(lambda pair: _is_noise(pair[0])), max_size=3))
    keys = [] if key is None else [(draw(names_of_key), quote_from_bytes(key, safe="").encode())]
    pairs = draw(st.permutations([*outputs, *others, *keys]))
    first = next((value for name, value in pairs if (name, value) in outputs), b"")
    wanted = Format.XML if first.lower() in {b"xml", b"%78ml"} else Format.JSON
    return Parameters(b"&".join(name + b"=" + value for name, value in pairs), key or None, wanted)


def _is_noise(name: bytes) -> bool:
    # Percent-encoded noise is encoded throughout, so these are all the forms in which it can be a name that counts.
    return name.lower() not in {b"key", b"o", b"output"}


HEADERS = (
    "Host Accept Accept-Encoding Accept-Language Authorization Cookie Forwarded If-None-Match If-Modified-Since Range"
    " Referer User-Agent X-Forwarded-For X-Forwarded-Host X-Forwarded-Proto X-HTTP-Method-Override X-Original-URL"
)
METHODS = "GET GET GET GET HEAD POST PUT DELETE OPTIONS PATCH TRACE FOO get"
header_names = st.sampled_from(HEADERS.split())
header_values = st.binary(max_size=40).map(lambda data: bytes(byte for byte in data if byte >= 32 and byte != 127))
headers = st.lists(st.tuples(header_names.map(str.encode), header_values), max_size=4)
methods = st.sampled_from(METHODS.split()).map(str.encode)


def request(method: bytes, target: bytes, fields: list[tuple[bytes, bytes]]) -> bytes:
    """The bytes of a request that is the last of its connection."""
    lines = [method + b" " + target + b" HTTP/1.1", b"Host: proxy.example"]
    lines += [name + b": " + value for name, value in fields]
    return b"\r\n".join([*lines, b"Connection: close", b"", b""])
