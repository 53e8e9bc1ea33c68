"""The page `overview`."""

from starlette.routing import Route

ROUTES: tuple[Route, ...] = ()
