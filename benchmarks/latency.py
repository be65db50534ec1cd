"""A distance between a client and a server on this machine: ``latency.py PORT SERVER_PORT SECONDS``.

What a client sends arrives later by so many seconds, however many connections there are; what the server answers is
passed on at once. So every request costs the delay once, and requests on different connections do not wait for each
other. Listens on the loopback interface only.
"""

from __future__ import annotations

import asyncio
import sys

HOST = "127.0.0.1"
PIECE = 1 << 20


async def delayed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay_s: float) -> None:
    """Pass on what comes, each piece so long after it came, in order."""
    waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
    clock = asyncio.get_running_loop()

    async def send() -> None:
        while (piece := await waiting.get())[1]:
            await asyncio.sleep(max(0.0, piece[0] - clock.time()))
            writer.write(piece[1])
            await writer.drain()
        writer.close()

    sending = asyncio.create_task(send())
    try:
        while data := await reader.read(PIECE):
            waiting.put_nowait((clock.time() + delay_s, data))
    finally:
        waiting.put_nowait((0.0, b""))
        await sending


async def passed_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on what comes."""
    try:
        while data := await reader.read(PIECE):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()


async def main(port: int, server_port: int, delay_s: float) -> None:
    """Serve until ended."""

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection(HOST, server_port, limit=PIECE)
        both = delayed(reader, up_writer, delay_s), passed_on(up_reader, writer)
        await asyncio.gather(*both, return_exceptions=True)

    server = await asyncio.start_server(connect, HOST, port, limit=PIECE, backlog=512)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
