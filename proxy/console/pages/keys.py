"""The page `keys`."""

from starlette.routing import Route

ROUTES: tuple[Route, ...] = ()
