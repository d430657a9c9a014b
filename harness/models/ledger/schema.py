"""The ledger's tables, as numbered migrations. A migration, once released, never changes."""

CALLS = """
create table if not exists calls (
    id integer primary key,
    key text not null,           -- hash of the request: everything that changes the answer
    request text not null,
    response text,               -- null when there was no reply
    usage text,                  -- as the provider sent it
    attempts text not null,      -- every try, with status, latency and error
    prices_as_of text,
    servable integer not null,   -- 0 for failed and empty replies
    at text not null
)
"""
SERVABLE = "create index if not exists servable_calls on calls (key, id) where servable"
CLAIMS = "create table claims (key text primary key, owner text not null, at real not null) without rowid"
RESERVATIONS = """
create table reservations (
    id integer primary key,
    account text not null,
    key text not null,
    nano integer not null,       -- worst case, in nano-dollars
    owner text                   -- null: the call ended without a reply, and may have been billed
)
"""
BATCHES = """
create table batches (
    id integer primary key,
    mark text not null unique,   -- ours; given to the provider where it takes one
    account text not null,
    batch_id text,               -- the provider's; null until it is known
    keys text not null,          -- of its requests
    nano integer not null,       -- worst case, in nano-dollars
    owner text not null,         -- the process that submits it
    at real not null,
    is_open integer not null default 1
)
"""
OWNERS = "create table owners (owner text primary key, seen_s real not null) without rowid"  # see `leases`
MIGRATIONS = (
    (CALLS, SERVABLE),
    (
        "alter table calls add column account text",  # whose budget it counts for
        "alter table calls add column billed_nano integer",  # null: unknown
        "create table accounts (account text primary key, billed_nano integer not null) without rowid",
        CLAIMS,
        RESERVATIONS,
        BATCHES,
    ),
    (OWNERS,),
)
