"""A chat-completions server that costs little processor time, for timings: `python -m tests.bench.fast_server 0.2`.

It prints its port, answers every call after the given seconds with the third word of the last
`item ...` in the request, and tells how many calls it has answered on GET.
"""

import asyncio
import json
import re
import sys

REPLY = {
    "id": "c",
    "object": "chat.completion",
    "created": 0,
    "model": "m-2026",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "ANSWER", "refusal": None},
            "finish_reason": "stop",
            "logprobs": None,
        }
    ],
    "usage": {"prompt_tokens": 100, "completion_tokens": 2, "total_tokens": 102},
}
BODY = json.dumps(REPLY).encode()
LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
WORD = re.compile(rb"[a-z]+")


class Chat(asyncio.Protocol):
    """One connection; requests on it are answered in order of their latency."""

    latency_s = 0.0
    answered = 0

    def connection_made(self, transport):
        self.transport, self.buffer = transport, b""

    def data_received(self, data):
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end]
            found = LENGTH.search(head)
            whole = end + 4 + (int(found[1]) if found else 0)
            if len(self.buffer) < whole:
                return
            body, self.buffer = self.buffer[end + 4 : whole], self.buffer[whole:]
            if head.startswith(b"GET"):
                self.reply(str(Chat.answered).encode())
            else:
                Chat.answered += 1
                asyncio.get_running_loop().call_later(self.latency_s, self.reply, answer(body))

    def reply(self, content):
        if not self.transport.is_closing():
            head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(content)
            self.transport.write(head + content)


def answer(body: bytes) -> bytes:
    asked = body.rsplit(b"item ", 1)[-1].split(b" ", 2)
    word = WORD.match(asked[1]) if len(asked) > 1 else None
    return BODY.replace(b"ANSWER", word[0] if word else b"alpha")


async def main() -> None:
    Chat.latency_s = float(sys.argv[1])
    server = await asyncio.get_running_loop().create_server(Chat, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
