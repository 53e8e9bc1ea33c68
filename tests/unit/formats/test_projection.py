"""A shapefile's projection file: longitude and latitude of WGS 84, or of a datum that lies within some metre, load."""

import pytest

from proxy.formats.code_pages import find_code_page, find_language_code_page
from proxy.formats.schema import InvalidDataError
from proxy.formats.shapefile.projection import check_projection

WGS84 = (
    'GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]],'
    'PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]'
)
UTM = f'PROJCS["WGS_1984_UTM_Zone_10N",{WGS84},PROJECTION["Transverse_Mercator"],UNIT["Meter",1.0]]'
WKT2 = 'GEOGCRS["WGS 84",\n  ENSEMBLE["World Geodetic System 1984 ensemble",\n MEMBER["G730"]],\n CS[ellipsoidal,2]]'


def datum(name: str, more: str = "") -> str:
    return WGS84.replace("D_WGS_1984", name).replace("]],PRIMEM", f"]{more}],PRIMEM")


@pytest.mark.parametrize(
    "text",
    [
        WGS84,
        WGS84.replace("[", " [ ").lower(),
        WGS84.replace("[", "(").replace("]", ")"),
        f'COMPD_CS["WGS 84 + EGM96",{WGS84},VERT_CS["EGM96 height",VERT_DATUM["EGM96",2005],UNIT["metre",1]]]',
        WKT2,
        'GEOGCS["WGS 84"]',
        *(
            datum(name)
            for name in (
                "WGS_1984", "WGS 84", "World Geodetic System 1984", "World_Geodetic_System_of_1984",
                "D_North_American_1983", "North_American_Datum_1983", "NAD83_National_Spatial_Reference_System_2011",
                "D_North_American_1983_HARN", "NAD83_Canadian_Spatial_Reference_System", "D_ETRS_1989",
                "European_Terrestrial_Reference_System_1989", "D_GDA_1994", "Geocentric_Datum_of_Australia_2020",
                "D_JGD_2000", "Japanese_Geodetic_Datum_2011", "D_NZGD_2000", "D_SIRGAS_2000", "D_ITRF_2008",
                "D_RGF_1993", "D_China_2000", "Not_specified_based_on_WGS_84_spheroid", "unknown",
                "D_Unknown_based_on_WGS84_ellipsoid",
            )
        ),
        datum("Somewhere", ",TOWGS84[0,0,0,0,0,0,0]"),
        "Projection    GEOGRAPHIC\nDatum         WGS84\nSpheroid      WGS84\nUnits         DD\n",
        "+proj=longlat +datum=WGS84 +no_defs",
        "",
        "who knows",
    ],
)  # fmt: skip
def test_projection_in_degrees_near_wgs84_is_accepted(text: str) -> None:
    check_projection(text.encode())
    check_projection(b"\xef\xbb\xbf" + text.encode())
    check_projection(text.encode("utf-16"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (UTM, "projected .WGS_1984_UTM_Zone_10N."),
        (f'COMPD_CS["x",{UTM},VERT_CS["y"]]', "projected .WGS_1984_UTM_Zone_10N."),
        ('PROJCRS["RGF93 / Lambert-93",BASEGEOGCRS["RGF93",DATUM["x"]]]', "projected .RGF93 / Lambert-93."),
        ("Projection    UTM\nZone          10\nDatum         WGS84", "projected"),
        ("+proj=utm +zone=10 +datum=WGS84", "projected"),
        (WGS84.replace("GEOGCS", "GEOCCS"), "no degrees"),
        ('GEODCRS["WGS 84",DATUM["World Geodetic System 1984"],CS[Cartesian,3]]', "no degrees"),
        ('LOCAL_CS["plan",UNIT["metre",1]]', "no degrees .plan."),
        *(
            (datum(name), f"the datum {name}, not WGS 84")
            for name in (
                "D_North_American_1927", "D_European_1950", "D_Tokyo", "D_OSGB_1936", "D_Pulkovo_1942", "D_WGS_1972",
                "Amersfoort",
            )
        ),
        (datum("D_MGI", ",TOWGS84[577.3,90.1,463.9,5.1,1.4,5.2,2.4]"), "the datum D_MGI"),
        (datum("unknown").replace('SPHEROID["WGS_1984"', 'SPHEROID["Clarke_1866"'), "the datum unknown"),
        ("Projection GEOGRAPHIC\nDatum NAD27\nUnits DD", "the datum NAD27"),
        ("+proj=longlat +datum=NAD27", "the datum NAD27"),
        (WGS84.replace('UNIT["Degree"', 'UNIT["Grad"'), "its unit is grad"),
        (WGS84.replace('"Greenwich",0.0', '"Paris",2.33722917'), "the prime meridian Paris"),
    ],
)  # fmt: skip
def test_projection_of_another_system_is_refused_by_name(text: str, message: str) -> None:
    with pytest.raises(InvalidDataError, match=message):
        check_projection(text.encode())


@pytest.mark.parametrize(
    ("name", "page"),
    [
        *((name, "utf-8") for name in ("UTF-8", "utf8", "UTF 8", "65001", "CP65001")),
        *((name, "cp1252") for name in ("1252", "ANSI 1252", "CP1252", "windows-1252", "WIN1252", "LDID/87", "ldid 3")),
        *((name, "iso8859-1") for name in ("88591", "8859-1", "ISO 88591", "ISO-8859-1", "latin1", "28591")),
        *((name, "iso8859-15") for name in ("885915", "8859-15", "iso_8859-15")),
        ("OEM 850", "cp850"),
        ("IBM437", "cp437"),
        ("ANSI 1251", "cp1251"),
        ("LDID/201", "cp1251"),
        ("874", "cp874"),
        ("936", "gbk"),
        ("Big5", "big5"),
        ("Shift_JIS", "shift_jis"),
        ("EUC-KR", "euc_kr"),
        ("KOI8-R", "koi8-r"),
        *((name, None) for name in ("hex", "rot13", "base64", "idna", "zlib", "unicode_escape", "", "9999", "LDID/0")),
    ],
)
def test_code_page_is_found_by_each_of_its_names(name: str, page: str | None) -> None:
    assert find_code_page(name) == page


def test_language_ids_name_readable_code_pages() -> None:
    pages = {number: page for number in range(256) if (page := find_language_code_page(number))}
    assert (pages[0x01], pages[0x57], pages[0x7B], pages[0xC9]) == ("cp437", "cp1252", "cp932", "cp1251")
    assert all(b"abc".decode(page) == "abc" for page in pages.values())
