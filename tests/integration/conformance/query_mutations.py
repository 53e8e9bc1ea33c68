"""For every rule of queries an answer that breaks it."""

from proxy.conformance.exchange import Purpose
from tests.integration.conformance.mutate import Mutation, all_of, answer, body, header, of

P = Purpose
_JSON = (P.FIND_ALL, P.FIND_ONE, P.FIND_NEXT)


def _changed(pattern: str, new: str, *purposes: Purpose, count: int = 1) -> Mutation:
    """Replaces text in the answers of these purposes that have it: an answer has it in one format only."""
    return body(of(*purposes), pattern, new, count)


QUERIES: dict[str, Mutation] = {
    "q1.list": answer(of(P.FIND_ALL), status=400),
    "q1.one": answer(of(P.FIND_ONE), status=404),
    "q1.nearby": _changed('"Latitude":[-0-9.]*', '"Latitude":80.000000', P.FIND_NEAR),
    "q1.bbox": _changed('"Longitude":[-0-9.]*', '"Longitude":0.000000', P.FIND_IN_BOX),
    "q1.filter": _changed('"EntityID":"', '"EntityID":"other', P.FIND_EQUAL),
    "q1.select": _changed('"EntityID":', '"entityId":', P.FIND_SELECTED),
    "q1.orderby": _changed('"results":.*?("Population"|"SeatingCapacity"):[0-9a-z]*', r"\g<0>999", P.FIND_ORDERED),
    "q1.full-page": _changed('"results":\\[.*\\]', '"results":[]', P.FIND_FULL_PAGE),
    "q1.count": _changed('"__count":[0-9]*', '"__count":0', P.FIND_FIRST),
    "q1.counts-agree": _changed('"__count":[0-9]*', '"__count":4', P.FIND_ALL),
    "q1.pages": _changed(r"\('", "('other", P.FIND_NEXT),
    "q1.past-end": _changed('"results":\\[\\]', '"results":[{"__metadata":{"uri":"a"}}]', P.FIND_PAST_END),
    "q1.case": _changed("AreasSample", "aREASsAMPLE", P.FIND_CASE),
    "q1.empty-segments": answer(of(P.FIND_EMPTY_SEGMENT), status=404),
    "q1.parameter-case": answer(of(P.FIND_PARAMETER_CASE), status=400),
    "q1.staging": answer(of(P.FIND_STAGED), status=200),
    "q2.1.coordinates": _changed('("Latitude":[-0-9.]*)[0-9]', r"\1", P.FIND_ALL),
    "q2.1.texts": _changed('"Name":"[^"]*"', '"Name":null', P.FIND_ALL),
    "q2.1.doubles": _changed('"Rate":0.1', '"Rate":0.10', P.FIND_ALL),
    "q2.1.integers": _changed('"Population":([0-9]*)', r'"Population":"\1"', P.FIND_ALL),
    "q2.1.booleans": _changed('"IsWiFiHotSpot":false', '"IsWiFiHotSpot":0', P.FIND_ALL),
    "q2.1.dates": _changed(r"\\/Date\(([0-9]*)\)", r"\\/Date(\1+0000)", P.FIND_ALL),
    "q2.1.geographies": _changed("POLYGON [(]", "Polygon(", P.FIND_ALL),
    "q2.1.content-type": header(of(P.FIND_NEXT), "Content-Type", "application/json"),
    "q2.1.ascii": _changed(r"\\u00a9", "©", P.FIND_ONE),
    "q2.1.compact": _changed('":"', '": "', P.FIND_EQUAL),
    "q2.1.slashes": _changed(r"\\/", "/", P.FIND_SELECTED, count=0),
    "q2.1.uri": _changed(r"\('", "(", P.FIND_NEAR),
    "q2.1.metadata-first": _changed('("__metadata":{[^}]*}),("EntityID":"[^"]*")', r"\2,\1", P.FIND_NEAR),
    "q2.1.members": _changed('"__count":[0-9]*,', "", P.FIND_ALL),
    "q2.1.count": _changed('"__count":([0-9]*)', r'"__count":"\1"', P.FIND_ALL),
    "q2.1.copyright": _changed('"__copyright":"[^"]*"', '"__copyright":" "', P.FIND_ONE),
    "q2.1.schema": _changed('"Name":"[^"]*",', "", *_JSON),
    "q2.2.formats-agree": _changed("<entry>.*</entry>", "", P.FIND_ALL),
    "q2.2.coordinates": _changed("(>[-0-9.]*)[0-9]</d:Latitude>", r"\1</d:Latitude>", P.FIND_ALL),
    "q2.2.doubles": _changed(">0.1</d:Rate>", ">0.10</d:Rate>", P.FIND_ALL),
    "q2.2.integers": _changed("</d:Population>", ".0</d:Population>", P.FIND_ALL),
    "q2.2.booleans": _changed(">0</d:IsWiFiHotSpot>", ">false</d:IsWiFiHotSpot>", P.FIND_ALL),
    "q2.2.dates": _changed("</d:CreatedDate>", "Z</d:CreatedDate>", P.FIND_ALL),
    "q2.2.geographies": _changed(">POLYGON ", ">POLYGON", P.FIND_ALL),
    "q2.2.content-type": header(of(P.FIND_NEAR), "Content-Type", "application/xml; charset=utf-8"),
    "q2.2.declaration": _changed(r"<\?xml[^>]*>", "", P.FIND_ONE),
    "q2.2.id": _changed("<entry><id>https://", "<entry><id>", P.FIND_NEAR),
    "q2.2.compact": _changed("<entry>", "\n<entry>", P.FIND_NEAR),
    "q2.2.namespaces": _changed("<d:Latitude", '<d:Latitude xmlns:x="a"', P.FIND_NEAR),
    "q2.2.prefixes": all_of(
        _changed("xmlns:d=", "xmlns:data=", P.FIND_NEAR), _changed("(</?)d:", r"\1data:", P.FIND_NEAR, count=0)
    ),
    "q2.2.feed": _changed("(<rights.*</rights>)(<updated>[^<]*</updated>)", r"\2\1", P.FIND_ALL),
    "q2.2.entry": _changed("<rights.*</rights>", "", P.FIND_ONE),
    "q2.2.content": _changed("(<content[^>]*>)", r"\1 ", P.FIND_ONE),
    "q2.2.updated": _changed("Z</updated>", ".5Z</updated>", P.FIND_ONE),
    "q2.2.types": _changed("<d:EntityID>", '<d:EntityID m:type="Edm.String">', P.FIND_ONE),
    "q2.2.null": _changed(' m:null="true" />', "/>", P.FIND_ALL),
    "q2.3.call": _changed(r"\)$", ");", P.FIND_JSONP),
    "q2.3.content-type": header(of(P.FIND_JSONP), "Content-Type", "application/json; charset=utf-8"),
    "q2.3.error": _changed(r"^[^(]*\(", "", P.FIND_BAD_JSONP),
    "q2.3.callback": _changed('"errorDetails":\\["', '"errorDetails":["alert(1)// ', P.FIND_BAD_CALLBACK),
    "q2.4.distance": _changed('"__Distance":[0-9.E-]*', '"__Distance":7', P.FIND_NEAR),
    "q2.4.no-area": _changed('("Latitude":)', r'"__Distance":0,\1', P.FIND_NEXT),
    "q2.6.nearby": _changed('"__Distance":[0-9.E-]*', '"__Distance":9999', P.FIND_NEAR),
    "q2.6.id": _changed('"EntityID":"', '"EntityID":"~', P.FIND_ALL),
    "q2.7.malformed": answer(of(P.FIND_BAD_PROPERTY), status=200),
    "q2.7.missing": answer(of(P.FIND_NO_ENTITY), status=200),
    "q2.7.head": header(of(P.FIND_HEAD), "Content-Length", "0"),
    "q2.7.cors": header(of(P.FIND_BAD_FILTER), "Access-Control-Allow-Origin", None),
    "q3.no-key": answer(of(P.FIND_NO_KEY), status=400),
    "q3.unknown-key": answer(of(P.FIND_WRONG_KEY), status=400),
}

# What is easily made and easily overlooked, beside the one for each rule.
QUERY_MISTAKES: dict[str, tuple[str, Mutation]] = {
    "a property with an attribute and no type": ("q2.2.types", _changed(' m:type="Edm.[A-Z][a-z]*"', "", P.FIND_NEAR)),
    "a date as a text of another type": ("q2.2.types", _changed("Edm.DateTime", "Edm.String", P.FIND_ALL)),
    "an empty number without m:null": ("q2.2.null", _changed(' m:null="true"', "", P.FIND_ALL, count=0)),
    "a results member around one entity": (
        "q2.1.members",
        _changed('"d":({.*})}$', r'"d":{"results":[\1]}}', P.FIND_ONE),
    ),
    "miles": ("q2.4.distance", _changed('"__Distance":[0-9]{3,}', '"__Distance":62', P.FIND_NEAR)),
    "a body behind the head": ("q2.7.head", answer(of(P.FIND_HEAD), body=b"{}")),
    "no state in the call": ("q2.3.call", _changed(r',"state.*\)$', ")", P.FIND_JSONP)),
    "white space before the call": ("q2.3.call", _changed("^", " ", P.FIND_JSONP)),
    "a feed in place of an entry": ("q1.one", _changed("<(/?)entry", r"<\1feed", P.FIND_ONE, count=0)),
    "JSON in place of Atom": ("q1.list", _changed("^.*$", '{"d":{"results":[]}}', P.FIND_ALL)),
    "another entity": ("q1.one", _changed('"EntityID":"', '"EntityID":"other', P.FIND_ONE)),
    "no entity in another letter case": ("q1.case", _changed('"results":\\[.*\\]', '"results":[]', P.FIND_CASE)),
    "HTML in place of an error": ("5.envelope", _changed("^.*$", "<html></html>", P.FIND_NO_TYPE)),
    "an error in the other format": ("5.format", _changed("^<.*$", '{"statusCode":400}', P.FIND_BAD_FILTER)),
    "every unknown key": ("q3.unknown-key", _changed("InvalidCredentials", "NotAuthorized", P.FIND_WRONG_KEY)),
}
