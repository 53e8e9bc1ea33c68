"""The documents' examples, compared byte by byte."""
