"""The server process: uvicorn, the ASGI application, start and shutdown."""
