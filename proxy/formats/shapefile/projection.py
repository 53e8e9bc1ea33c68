"""Checks by the .prj file of a shapefile that its coordinates are longitude and latitude of WGS 84.

Datums that lie within some metre of WGS 84, such as NAD83 and ETRS89, are taken for it.
"""

import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE

from proxy.formats.schema import InvalidDataError

_PROJECTED = re.compile(
    r"\bPROJ(?:CS|CRS|ECTEDCRS)\b|\+PROJ=(?!LONGLAT|LATLONG)|^PROJECTION\s++(?!GEOGRAPHIC)", re.IGNORECASE
)
_OF_ANOTHER_KIND = re.compile(r"\b(?:GEOCCS|LOCAL_CS|ENGCRS|ENGINEERINGCRS)\b|\bCS\s*+\[\s*+CARTESIAN", re.IGNORECASE)
_NAMED = r'\s*+[\[(]\s*+"([^"]{0,200})'
_SYSTEM = re.compile(
    rf"\b(?:PROJ(?:CS|CRS|ECTEDCRS)|GEOCCS|LOCAL_CS|ENGCRS|GEOGCS|GEOGCRS|GEODCRS){_NAMED}", re.IGNORECASE
)
_DATUM = re.compile(rf"\b(?:DATUM|ENSEMBLE|TRF|GEODETICDATUM){_NAMED}", re.IGNORECASE)
_ELLIPSOID = re.compile(rf"\b(?:SPHEROID|ELLIPSOID){_NAMED}", re.IGNORECASE)
_OLD_DATUM = re.compile(r"(?:^|\n)DATUM\s++([^\s\[(][^\n]{0,100})|\+DATUM=(\w{1,50})", re.IGNORECASE)
_MERIDIAN = re.compile(rf'\b(?:PRIMEM|PRIMEMERIDIAN){_NAMED}"\s*+,\s*+([-+0-9.E]{{1,30}})', re.IGNORECASE)
_SAME_DATUM = re.compile(r"\bTOWGS84\s*+\[[\s,0.+-]{1,200}\]", re.IGNORECASE)
_NO_DEGREES = re.compile(r'\b(?:ANGLE)?UNIT\s*+[\[(]\s*+"(RADIANS?|GRADS?|GONS?)"', re.IGNORECASE)

# Parts of the names of datums, without what is neither letter nor digit.
_LIKE_WGS84 = re.compile(
    "WGS(?:19)?84|WORLDGEODETICSYSTEM(?:OF)?1984|WORLDGEODETIC1984|NAD(?:19)?83|NORTHAMERICAN(?:DATUM)?(?:OF)?1983"
    "|CSRS|HARN|HIGHACCURACYREFERENCENETWORK|NSRS2007|NATIONALSPATIALREFERENCESYSTEM20|NATRF|ETRS(?:19)?89"
    "|ETRF|EUROPEANTERRESTRIALREFERENCE|EUREF|SWEREF99|IRENET95|GDA(?:19)?94|GDA2020"
    "|GEOCENTRICDATUMOFAUSTRALIA|JGD20|JAPANESEGEODETICDATUM20|JAPANGEODETICDATUM20|KGD2002|KOREA2000|KOREAN?DATUM2002"
    "|GEOCENTRICDATUMOFKOREA|NZGD2000|NEWZEALANDGEODETICDATUM2000|SIRGAS|ITRF|INTERNATIONALTERRESTRIALREFERENCE|IGS[0-9]"
    "|RGF(?:19)?93|GEODESIQUEFRANCAIS1993|RGAF09|RGFG95|RGM04|RGR92|RGNC|CHINA2000|CHINAGEODETICCOORDINATESYSTEM2000"
    "|CGCS2000|TWD(?:19)?97|TAIWANDATUM1997|HARTEBEESTHOEK94|POSGAR|MAGNA|GDM2000|DGN(?:19)?95|INDONESIA1995|LKS9[24]"
    "|LATVIA1992|LITHUANIA1994|ESTONIA19(?:92|97)|HTRS96|SLOVENIA(?:GEODETICDATUM)?1996|MOLDREF99|PZ90|PARAMETRYZEMLI1990|GRS(?:19)?80"
)
_UNNAMED = re.compile("UNKNOWN|UNNAMED|UNDEFINED|UNSPECIFIED")


_WANTED = "it has to be in longitude and latitude of WGS 84"


def check_projection(data: bytes) -> None:
    """Refuses a .prj file's system; a file that names none is taken for WGS 84.

    Raises:
        InvalidDataError: it names a projected system, another datum than WGS 84, or another unit than degrees.
    """
    text = _text(data)
    system = _SYSTEM.search(text)
    name = f" ({system[1]})" if system else ""
    meridian = _MERIDIAN.search(text)
    wrong = None
    if _PROJECTED.search(text):
        wrong = f"says that it is projected{name}"
    elif _OF_ANOTHER_KIND.search(text):
        wrong = f"says that its coordinates are no degrees{name}"
    elif unit := _NO_DEGREES.search(text):
        wrong = f"says that its unit is {unit[1].lower()}, not degrees"
    elif meridian and meridian[2].strip("+-0.Ee"):
        wrong = f"names the prime meridian {meridian[1]}, not Greenwich"
    elif datum := _other_datum(text):
        wrong = f"names the datum {datum}, not WGS 84"
    if wrong:
        raise InvalidDataError(f"the shapefile's .prj file {wrong}; {_WANTED}")


def _other_datum(text: str) -> str | None:
    """The datum, where it is none that lies within some metre of WGS 84."""
    found = _DATUM.search(text) or _OLD_DATUM.search(text) or _SYSTEM.search(text)
    if found is None or _SAME_DATUM.search(text):
        return None
    datum = found[found.lastindex or 1].strip()
    ellipsoid = _ELLIPSOID.search(text) if _UNNAMED.search(datum.upper()) else None
    return None if _LIKE_WGS84.search(_letters(ellipsoid[1] if ellipsoid else datum)) else datum


def _letters(name: str) -> str:
    return "".join(character for character in name.upper() if character.isalnum())


def _text(data: bytes) -> str:
    if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return data.decode("utf-16", "replace").strip()
    return data.decode("utf-8-sig", "replace").strip()
