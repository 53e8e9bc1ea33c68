"""The page `load`."""

from starlette.routing import Route

ROUTES: tuple[Route, ...] = ()
