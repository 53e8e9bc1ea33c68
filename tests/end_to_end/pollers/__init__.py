"""Small programs, each by a client library that legacy programs use. They ask for each URL of their command line.

A line of their output is the status of a URL's answer, or what went wrong.
"""
