"""The least that anybody could do with the official SDK: a loop, 256 at once, replies to a JSONL file.

python sdk_loop.py URL ITEMS.jsonl OUT.jsonl {plain|aiohttp}
"""

import asyncio
import json
import sys

import openai

SYSTEM = "Classify the text into one of: alpha, beta, gamma, delta."


async def main(url: str, items: str, out: str, transport: str) -> None:
    http = openai.DefaultAioHttpClient() if transport == "aiohttp" else None
    client = openai.AsyncOpenAI(api_key="sk-bench", base_url=url, max_retries=0, http_client=http)
    at_once = asyncio.Semaphore(256)

    async def ask(row):
        async with at_once:
            said = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": row["text"]}]
            reply = await client.chat.completions.create(model="m", messages=said, max_tokens=5, temperature=0)
            return row | {"reply": reply.choices[0].message.content, "usage": reply.usage.model_dump()}

    with open(items) as file:
        rows = [json.loads(line) for line in file]
    answered = await asyncio.gather(*(ask(row) for row in rows))
    with open(out, "w") as file:
        file.writelines(json.dumps(row) + "\n" for row in answered)
    print(sum(row["reply"] == row["label"] for row in answered) / len(answered))
    await client.close()


asyncio.run(main(*sys.argv[1:]))
