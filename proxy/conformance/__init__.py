"""Judges from outside whether an endpoint follows the wire contract: GET and HEAD only, then pure rules.

The package imports nothing of `proxy.wire`: a shared table would hide its own mistakes from the rules.
"""
