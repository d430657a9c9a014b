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
# The same on a server, whose types have other names. Its keys also serve whoever looks for a request's reservations.
SERVER_MIGRATIONS = (
    (
        "create schema if not exists harness_ledger",
        "create table harness_ledger.versions (number integer primary key)",
        """create table harness_ledger.calls (
            id bigint generated always as identity primary key,
            key text not null,
            request text not null,
            response text,
            usage text,
            attempts text not null,
            prices_as_of text,
            servable boolean not null,
            at text not null,
            account text,
            billed_nano bigint
        )""",
        "create index servable_calls on harness_ledger.calls (key, id) where servable",
        "create table harness_ledger.accounts (account text primary key, billed_nano bigint not null)",
        """create table harness_ledger.claims (
            key text primary key, owner text not null, at double precision not null
        )""",
        """create table harness_ledger.reservations (
            id bigint generated always as identity primary key,
            account text not null,
            key text not null,
            nano bigint not null,
            owner text
        )""",
        "create index reservations_of_requests on harness_ledger.reservations (key)",
        """create table harness_ledger.batches (
            id bigint generated always as identity primary key,
            mark text not null unique,
            account text not null,
            batch_id text,
            keys text not null,
            nano bigint not null,
            owner text not null,
            at double precision not null,
            is_open boolean not null default true
        )""",
        "create table harness_ledger.owners (owner text primary key, seen_s double precision not null)",
    ),
    (
        # What tells whether a transaction was written whose end nobody heard of.
        """create table harness_ledger.written (
            writer text primary key, number bigint not null, at_s double precision not null
        )""",
        # Since when the server has not crashed: it empties such a table when it comes back, also where one of its
        # processes alone was killed and all connections are broken.
        "create unlogged table harness_ledger.uncrashed (since_s double precision not null)",
    ),
)
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
