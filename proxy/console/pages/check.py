"""The page `check`."""

from starlette.routing import Route

ROUTES: tuple[Route, ...] = ()
