class Kml:
    suffix = ".kml"
