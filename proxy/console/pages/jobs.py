"""The page `jobs`."""

from starlette.routing import Route

ROUTES: tuple[Route, ...] = ()
