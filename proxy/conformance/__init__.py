"""Whether an endpoint keeps the wire contract: asked from outside, by GET and HEAD only, and judged by pure functions.

It shares no table with `proxy/bing`: a mistake there would else be judged by itself.
"""
