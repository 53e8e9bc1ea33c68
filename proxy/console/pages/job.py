"""The page `job`."""

from starlette.routing import Route

ROUTES: tuple[Route, ...] = ()
