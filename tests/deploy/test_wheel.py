"""The wheel: what its builder would put into it, without building it."""

from hatchling.builders.wheel import WheelBuilder

from tests.deploy.tools import ROOT

PACKAGES = ("adapters", "proxy")
DATA = {
    "proxy/formats/geocode/countries.tsv",
    "proxy/demo/maps/gazetteer.json",
    "proxy/demo/addresses.csv",
    "proxy/console/templates/base.html",
    "proxy/console/static/style.css",
}


def test_a_wheel_has_every_file_of_the_packages_with_their_data() -> None:
    packed = {file.distribution_path for file in WheelBuilder(str(ROOT)).recurse_included_files()}
    files = {path.relative_to(ROOT) for name in PACKAGES for path in (ROOT / name).rglob("*") if path.is_file()}
    assert packed == {str(path) for path in files if "__pycache__" not in path.parts}
    assert packed > DATA
