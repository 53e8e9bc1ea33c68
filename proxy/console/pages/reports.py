"""The page `reports`."""

from starlette.routing import Route

ROUTES: tuple[Route, ...] = ()
