"""The page `source`."""

from starlette.routing import Route

ROUTES: tuple[Route, ...] = ()
