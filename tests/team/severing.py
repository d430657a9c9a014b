"""A server's port on loopback through which a connection can be cut at a word that goes over it."""

import asyncio
import threading
from contextlib import contextmanager, suppress


class Severing:
    """Forwards everything until `at` names a word: the connection that next says it is cut."""

    def __init__(self, port: int) -> None:
        self.target, self.port, self.times = port, 0, 0
        self.word: bytes | None = None
        self.is_delivered = True

    def at(self, word: bytes, *, is_delivered: bool) -> None:
        """Cut at the client's word, or, once that is delivered, at the server's."""
        self.word, self.is_delivered = word, is_delivered

    async def serve(self, ready: threading.Event) -> None:
        self.loop, self.stopped, self.tasks = asyncio.get_running_loop(), asyncio.Event(), set()
        server = await asyncio.start_server(self.connection, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await self.stopped.wait()
        server.close()
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def connection(self, reader, writer) -> None:
        self.tasks.add(asyncio.current_task())
        theirs, ours = await asyncio.open_connection("127.0.0.1", self.target)
        try:
            forth = asyncio.ensure_future(self.forward(reader, ours, is_client=True))
            back = asyncio.ensure_future(self.forward(theirs, writer, is_client=False))
            await asyncio.wait({forth, back}, return_when=asyncio.FIRST_COMPLETED)
            for one in (forth, back):
                one.cancel()
            await asyncio.gather(forth, back, return_exceptions=True)
        finally:
            for one in (writer, ours):
                one.transport.abort()
            self.tasks.discard(asyncio.current_task())

    async def forward(self, reader, writer, *, is_client: bool) -> None:
        with suppress(OSError):
            while content := await reader.read(1 << 16):
                if self.word is not None and self.word in content and is_client != self.is_delivered:
                    self.word, self.times = None, self.times + 1
                    return
                writer.write(content)
                await writer.drain()


@contextmanager
def severing(port: int):
    """The port that stands before another."""
    server, ready = Severing(port), threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(ready)), daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield server
    finally:
        server.loop.call_soon_threadsafe(server.stopped.set)
        thread.join(10)
