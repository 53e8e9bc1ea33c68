"""A gateway with a certificate: it takes TLS off and passes all on. Run by `python -m tests.end_to_end.gateway`."""

import asyncio
import ssl
import sys
from contextlib import suppress


async def serve(certificate: str, key: str, port: int, upstream: int) -> None:
    """Listens on a port of 127.0.0.1 for ever, and passes to another one."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)

    async def passed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def taken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", upstream)
        await asyncio.gather(passed(reader, inner_writer), passed(inner_reader, writer))

    server = await asyncio.start_server(taken, "127.0.0.1", port, ssl=context)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
