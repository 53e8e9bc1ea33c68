"""The Query API's language, engine and answers (query-api.md): pure, without HTTP, storage, settings or clock.

How a query runs, from top to bottom:

1. `request.parse_request`: the path's last segment and the parameters become a `Request`, or a `QueryError` (400).
2. `Request.bind`: its names and literals are fitted to a version's `Schema`: a `Query`, or a `QueryError`.
3. `areas.require_resolved`: without a map service, an address or a route is a `QueryError`. With one, the caller
   (`proxy.api.query_places`) replaces the address by its location, and finds the line of the route.
4. `engine.run_query`: the version's file and the query make a `Result`, a page of columns; a request for one entity
   that finds no id is a 404.
5. `render.render`: the page becomes the bytes of JSON, JSONP or Atom.

An error is wrapped for JSONP by `response_form.find_callback`. Steps 1 to 3 load neither Arrow nor, without a shape,
GEOS.
"""
