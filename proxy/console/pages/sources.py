"""The page `sources`."""

from starlette.routing import Route

ROUTES: tuple[Route, ...] = ()
