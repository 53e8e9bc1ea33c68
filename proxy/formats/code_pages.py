"""Finds code pages by the names in XML declarations and .cpg files, and by language ids of .dbf files.

Codecs of Python that are no code page, such as `hex` and `idna`, are unknown here.
"""

import codecs
import re

# Python's own names, as `codecs.lookup` gives them.
_TEXT = re.compile(
    r"ascii|utf-8|utf-16(?:-[bl]e)?|cp[0-9]+|iso8859-[0-9]+|koi8-[rtu]|mac-(?:roman|cyrillic|greek|latin2|turkish|iceland)"
    r"|gb2312|gbk|gb18030|big5|big5hkscs|shift_jis|euc_jp|euc_kr|johab|iso2022_jp"
)
# Numbers of Windows code pages with another name in Python.
_NUMBERS = {
    "936": "gbk",
    "951": "big5hkscs",
    "10000": "mac-roman",
    "10006": "mac-greek",
    "10007": "mac-cyrillic",
    "10029": "mac-latin2",
    "10079": "mac-iceland",
    "10081": "mac-turkish",
    "20127": "ascii",
    "20866": "koi8-r",
    "21866": "koi8-u",
    "20932": "euc_jp",
    "51932": "euc_jp",
    "51949": "euc_kr",
    "54936": "gb18030",
    "65001": "utf-8",
    **{str(28590 + part): f"iso8859-{part}" for part in range(1, 17)},
    **{f"8859{part}": f"iso8859-{part}" for part in range(1, 17)},
}
_PREFIXED = re.compile(r"(?:ansi|oem|cp|codepage|ibm|x?windows|win|ms|iso)?([0-9]{3,6})")
_LANGUAGE = re.compile(r"ldid(?:0x([0-9a-f]{2})|([0-9]{1,3}))")

# The ids of dBase and FoxPro. 0x68 and 0x69 are code pages that Python does not have.
_LANGUAGES = {
    "cp437": (0x01, 0x09, 0x0B, 0x0D, 0x0F, 0x11, 0x15, 0x18, 0x19, 0x1B),
    "cp850": (0x02, 0x0A, 0x0E, 0x10, 0x12, 0x14, 0x16, 0x1A, 0x1D, 0x25, 0x37),
    "cp1252": (0x03, 0x57, 0x58, 0x59),
    "mac-roman": (0x04,),
    "cp865": (0x08, 0x17, 0x66),
    "cp932": (0x13, 0x7B),
    "cp863": (0x1C, 0x6C),
    "cp852": (0x1F, 0x22, 0x23, 0x40, 0x64, 0x87),
    "cp860": (0x24,),
    "cp866": (0x26, 0x65),
    "gbk": (0x4D, 0x7A),
    "cp949": (0x4E, 0x79),
    "cp950": (0x4F, 0x78),
    "cp874": (0x50, 0x7C),
    "cp861": (0x67,),
    "cp737": (0x6A, 0x86),
    "cp857": (0x6B, 0x88),
    "cp1255": (0x7D,),
    "cp1256": (0x7E,),
    "mac-cyrillic": (0x96,),
    "mac-latin2": (0x97,),
    "mac-greek": (0x98,),
    "cp1250": (0xC8,),
    "cp1251": (0xC9,),
    "cp1254": (0xCA,),
    "cp1253": (0xCB,),
    "cp1257": (0xCC,),
}
_BY_LANGUAGE = {number: name for name, numbers in _LANGUAGES.items() for number in numbers}


def find_code_page(name: str) -> str | None:
    """Python's name of a code page; None if there is none of this name.

    The name may be a number or have a prefix, in any letter case and punctuation: `1252`, `ANSI 1252`, `88591`,
    `8859-1`, `LDID/87`, `UTF-8`.
    """
    letters = "".join(character for character in name[:100].lower() if character.isascii() and character.isalnum())
    if language := _LANGUAGE.fullmatch(letters):
        return find_language_code_page(int(language[1], 16) if language[1] else int(language[2]))
    if number := _PREFIXED.fullmatch(letters):
        letters = _NUMBERS.get(number[1], f"cp{number[1]}")
    return _known(letters) or _known(name.strip()[:100])


def find_language_code_page(number: int) -> str | None:
    """The code page of a language id in the header of a .dbf file; None for 0 and unknown ids."""
    return _BY_LANGUAGE.get(number)


def _known(name: str) -> str | None:
    try:
        found = codecs.lookup(name).name
    except (LookupError, ValueError):  # the latter for a name with a NUL
        return None
    return found if _TEXT.fullmatch(found) else None
