"""What Azure Maps answers to each item: a feature of the usual size."""

PLACE = {
    "geometry": {"type": "Point", "coordinates": [-122.129731848836, 47.6401305198669]},
    "bbox": [-122.137375102026, 47.6362678022963, -122.122088595645, 47.6439932374376],
    "properties": {
        "type": "Address",
        "confidence": "High",
        "matchCodes": ["Good"],
        "address": {
            "addressLine": "1 Microsoft Way",
            "locality": "Redmond",
            "adminDistricts": [{"name": "Washington", "shortName": "WA"}, {"name": "King County", "shortName": "King"}],
            "postalCode": "98052",
            "countryRegion": {"ISO": "US", "name": "United States"},
            "formattedAddress": "1 Microsoft Way, Redmond, WA 98052",
        },
        "geocodePoints": [
            {
                "geometry": {"type": "Point", "coordinates": [-122.129731848836, 47.6401305198669]},
                "calculationMethod": "InterpolationOffset",
                "usageTypes": ["Display"],
            }
        ],
    },
}
