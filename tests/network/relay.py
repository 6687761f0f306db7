"""Carries connections to ADDRESS on to PORT of the loopback and prints its own port:

python -m tests.network.relay ADDRESS PORT
"""

import asyncio
import sys


async def _carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while part := await source.read(65_536):
            sink.write(part)
            await sink.drain()
    except ConnectionError:
        pass
    finally:
        sink.close()


async def main(address: str, port: int) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_carry(reader, inner_writer), _carry(inner_reader, writer))

    server = await asyncio.start_server(answer, address, 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
