"""The names that both formats and their readers share."""

BING = "http://schemas.microsoft.com/search/local/ws/rest/v1"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
XSD = "http://www.w3.org/2001/XMLSchema"

JSON_CONTENT = "application/json; charset=utf-8"
XML_CONTENT = "application/xml; charset=utf-8"
