"""The documented samples: Load Data Source Data Schema and Sample Input."""

FOURTH_COFFEE = """<?xml version="1.0" encoding="UTF-8"?>
<FourthCoffeeSampleData>
  <xs:schema id="FourthCoffeeSample" xmlns="" xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:msdata="urn:schemas-microsoft-com:xml-msdata">
    <xs:element name="FourthCoffeeSample" msdata:IsDataSet="true" msdata:UseCurrentLocale="true">
      <xs:complexType>
        <xs:choice minOccurs="0" maxOccurs="unbounded">
          <xs:element name="FourthCoffeeShops">
            <xs:complexType>
              <xs:sequence>
                <xs:element name="AddressLine" type="xs:string" minOccurs="0" />
                <xs:element name="Manager" type="xs:string" minOccurs="0" />
                <xs:element name="EntityID" type="xs:string" />
                <xs:element name="Longitude" type="xs:double" minOccurs="0" />
                <xs:element name="Latitude" type="xs:double" minOccurs="0" />
                <xs:element name="StoreLayout" type="xs:anyType" minOccurs="0" />
                <xs:element name="IsWiFiHotSpot" type="xs:boolean" minOccurs="0" />
                <xs:element name="Open" type="xs:long" minOccurs="0" />
                <xs:element name="CreatedDate" msdata:DateTimeMode="Utc" type="xs:dateTime" minOccurs="0" />
              </xs:sequence>
            </xs:complexType>
          </xs:element>
        </xs:choice>
      </xs:complexType>
      <xs:unique name="Constraint1" msdata:PrimaryKey="true">
        <xs:selector xpath=".//FourthCoffeeShops" />
        <xs:field xpath="EntityID" />
      </xs:unique>
    </xs:element>
  </xs:schema>
  <FourthCoffeeShops>
    <AddressLine>Løven</AddressLine>
    <Manager>Alan Steiner | Pannarat Pattanapitakkul</Manager>
    <EntityID>-22067</EntityID>
    <Longitude>9.87443416667</Longitude>
    <Latitude>57.00376611111</Latitude>
    <StoreLayout>POLYGON((9.86445 57.13876,9.89266 57.13876, 9.89266 56.94234,9.86445 56.94234,9.86445 57.13876))</StoreLayout>
    <IsWiFiHotSpot>false</IsWiFiHotSpot>
    <Open>700</Open>
    <CreatedDate>2010-11-11T01:19:36.4350494Z</CreatedDate>
  </FourthCoffeeShops>
  <FourthCoffeeShops>
    <AddressLine>1 Microsoft Way</AddressLine>
    <Manager>Phil Spencer</Manager>
    <EntityID>-22066</EntityID>
    <Longitude>-122.1293731033802</Longitude>
    <Latitude>47.640568390488625</Latitude>
    <IsWiFiHotSpot>true</IsWiFiHotSpot>
    <Open>1000</Open>
    <CreatedDate>2010-11-16T01:19:36.4350494Z</CreatedDate>
  </FourthCoffeeShops>
</FourthCoffeeSampleData>
""".encode()  # noqa: E501  as documented

DELIMITED = """Bing Spatial Data Services, 1.0, FourthCoffeeShops
Phone(Edm.String),EntityID(Edm.String,primaryKey),Longitude(Edm.Double),Latitude(Edm.Double),StoreLayout(Edm.Geography),CountryRegion(Edm.String),Open(Edm.Int64),Close(Edm.Int64)
303-555-0188,-22067,9.87443416667,57.00376611111,"POLYGON((9.86445 57.13876,9.89266 57.13876,9.89266 56.94234,9.86445 56.94234,9.86445 57.13876))",Danmark,700,1800
425-555-0111,-22066,9.54552166667,56.16946722222,,Danmark,1000,2000
"""  # noqa: E501  as documented


def separated(by: str) -> bytes:
    """The documented sample with another separator: the version line and the key keep their commas."""
    version, *lines = DELIMITED.splitlines(keepends=True)
    key, layout = "(Edm.String,primaryKey)", lines[1].split('"')[1]
    for line, kept in enumerate((key, layout)):
        lines[line] = lines[line].replace(f'"{kept}"', kept).replace(kept, "\0").replace(",", by).replace("\0", kept)
    lines[2] = lines[2].replace(",", by)
    return "".join([version, *lines]).encode()
