-- People, what they may do, and how they come in.
CREATE TABLE users (
    id            TEXT PRIMARY KEY,
    name          TEXT NOT NULL,
    name_key      TEXT NOT NULL UNIQUE, -- folded: names are unique without regard to case
    password_hash TEXT,
    role          TEXT NOT NULL CHECK (role IN ('admin', 'editor', 'viewer')),
    disabled      INTEGER NOT NULL DEFAULT 0,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    last_login_at INTEGER
) STRICT;

CREATE TABLE sessions (
    id         TEXT PRIMARY KEY,
    token_hash TEXT NOT NULL UNIQUE,
    user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    address    TEXT,
    agent      TEXT,
    created_at INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_user ON sessions (user_id, id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE api_keys (
    id         TEXT PRIMARY KEY,
    user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name       TEXT NOT NULL,
    prefix     TEXT NOT NULL,
    hash       TEXT NOT NULL UNIQUE,
    scopes     TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    used_at    INTEGER,
    revoked_at INTEGER
) STRICT;
CREATE INDEX api_keys_user ON api_keys (user_id, id);

-- Experiments and their runs; the counters of a run are kept with its cells, in one transaction.
CREATE TABLE experiments (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    type       TEXT NOT NULL,
    config     TEXT NOT NULL,
    status     TEXT NOT NULL CHECK (status IN
                   ('draft', 'running', 'paused', 'completed', 'failed', 'cancelled')),
    user_id    TEXT REFERENCES users (id) ON DELETE SET NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    runs       INTEGER NOT NULL DEFAULT 0,
    version    INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE INDEX experiments_user ON experiments (user_id, id);
CREATE INDEX experiments_status ON experiments (status, id);
CREATE INDEX experiments_type ON experiments (type, id);

CREATE TABLE experiment_runs (
    id              TEXT PRIMARY KEY,
    experiment_id   TEXT NOT NULL REFERENCES experiments (id) ON DELETE CASCADE,
    number          INTEGER NOT NULL,
    status          TEXT NOT NULL CHECK (status IN
                        ('running', 'paused', 'completed', 'failed', 'cancelled')),
    spec            TEXT NOT NULL,
    plan            TEXT,
    total           INTEGER NOT NULL DEFAULT 0,
    completed       INTEGER NOT NULL DEFAULT 0,
    failed          INTEGER NOT NULL DEFAULT 0,
    cancelled       INTEGER NOT NULL DEFAULT 0,
    impossible      INTEGER NOT NULL DEFAULT 0,
    reused          INTEGER NOT NULL DEFAULT 0,
    created_at      INTEGER NOT NULL,
    started_at      INTEGER,
    finished_at     INTEGER,
    budget_ms       INTEGER NOT NULL DEFAULT 0,
    used_ms         INTEGER NOT NULL DEFAULT 0, -- of the budget, until the last pause
    resumed_at      INTEGER,                    -- since when it runs; NULL while it does not
    seconds_drawing REAL NOT NULL DEFAULT 0,
    UNIQUE (experiment_id, number)
) STRICT;
CREATE INDEX experiment_runs_budget ON experiment_runs (id) WHERE status = 'running' AND budget_ms > 0;

-- What was drawn: one row for each key, if and only if its blob is durable.
CREATE TABLE images (
    key          TEXT PRIMARY KEY,
    sha256       TEXT NOT NULL,
    format       TEXT NOT NULL,
    width        INTEGER NOT NULL,
    height       INTEGER NOT NULL,
    bytes        INTEGER NOT NULL,
    seconds      REAL NOT NULL,
    step_seconds REAL NOT NULL,
    memory_used  INTEGER NOT NULL,
    provider     TEXT,
    device       TEXT,
    dtype        TEXT,
    isa          TEXT,
    measures     TEXT,
    created_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX images_sha256 ON images (sha256);
CREATE INDEX images_created ON images (created_at);

-- What was asked for. Identifiers are UUID v7: their order is the order of time.
CREATE TABLE generations (
    seq             INTEGER PRIMARY KEY, -- what generation_words refers to
    id              TEXT NOT NULL UNIQUE,
    user_id         TEXT REFERENCES users (id) ON DELETE SET NULL,
    run_id          TEXT REFERENCES experiment_runs (id) ON DELETE CASCADE,
    experiment_id   TEXT REFERENCES experiments (id) ON DELETE CASCADE,
    cell            INTEGER NOT NULL DEFAULT -1,
    replicate       INTEGER NOT NULL DEFAULT 0,
    axes            TEXT,
    key             TEXT,
    status          TEXT NOT NULL CHECK (status IN
                        ('queued', 'running', 'succeeded', 'failed', 'cancelled', 'impossible')),
    reused          INTEGER NOT NULL DEFAULT 0,
    prompt          TEXT NOT NULL,
    prompt_hash     TEXT NOT NULL, -- 16 hex digits of its SHA-256: equal prompts are found by it
    negative_prompt TEXT,
    model_name      TEXT NOT NULL,
    model_digest    TEXT,
    sampler         TEXT,
    schedule        TEXT,
    provider        TEXT,
    seed            TEXT NOT NULL, -- decimal: 64 bits without a sign
    steps           INTEGER NOT NULL,
    width           INTEGER NOT NULL,
    height          INTEGER NOT NULL,
    cfg_scale       REAL NOT NULL,
    parameters      TEXT NOT NULL,
    metadata        TEXT,
    error_code      TEXT,
    error           TEXT,
    attempts        INTEGER NOT NULL DEFAULT 0,
    rating          INTEGER NOT NULL DEFAULT 0 CHECK (rating BETWEEN 0 AND 5),
    favourite       INTEGER NOT NULL DEFAULT 0,
    created_at      INTEGER NOT NULL,
    generated_at    INTEGER,
    seconds         REAL, -- to draw; of the picture, repeated here for sorting
    file_path       TEXT  -- of the picture's blob: ab/cd/<sha256>
) STRICT;
CREATE INDEX generations_user ON generations (user_id, id);
CREATE INDEX generations_cell ON generations (run_id, cell, id);
CREATE INDEX generations_experiment ON generations (experiment_id, id);
CREATE INDEX generations_model ON generations (model_name, id);
CREATE INDEX generations_sampler ON generations (sampler, id);
CREATE INDEX generations_schedule ON generations (schedule, id);
CREATE INDEX generations_seed ON generations (seed, id);
CREATE INDEX generations_key ON generations (key, id);
CREATE INDEX generations_prompt ON generations (prompt_hash, id);
CREATE INDEX generations_steps ON generations (steps, id);
CREATE INDEX generations_cfg ON generations (cfg_scale, id);
CREATE INDEX generations_rating ON generations (rating, id);
CREATE INDEX generations_favourite ON generations (id) WHERE favourite = 1;
CREATE INDEX generations_seconds ON generations (seconds, id) WHERE seconds IS NOT NULL;
CREATE INDEX generations_status ON generations (status, id) WHERE status <> 'succeeded';
CREATE INDEX generations_waiting ON generations (key, id) WHERE status IN ('queued', 'running');
-- Pictures that were sent in: gc keeps what a recipe names.
CREATE INDEX generations_init ON generations (json_extract(parameters, '$.init_sha256'))
    WHERE json_extract(parameters, '$.init_sha256') IS NOT NULL;
CREATE INDEX generations_mask ON generations (json_extract(parameters, '$.mask_sha256'))
    WHERE json_extract(parameters, '$.mask_sha256') IS NOT NULL;
CREATE INDEX generations_history ON generations (model_name, width, height, id)
    WHERE status = 'succeeded' AND reused = 0;

CREATE TABLE generation_tags (
    generation_id TEXT NOT NULL REFERENCES generations (id) ON DELETE CASCADE,
    tag           TEXT NOT NULL,
    PRIMARY KEY (generation_id, tag)
) STRICT, WITHOUT ROWID;
CREATE INDEX generation_tags_tag ON generation_tags (tag, generation_id);

-- The words of the prompts; the texts themselves stay in generations.
CREATE VIRTUAL TABLE generation_words USING fts5 (
    prompt, content = 'generations', content_rowid = 'seq', detail = none, columnsize = 0,
    tokenize = "unicode61 remove_diacritics 2", prefix = '3');
CREATE TRIGGER generations_words_add AFTER INSERT ON generations BEGIN
    INSERT INTO generation_words (rowid, prompt) VALUES (new.seq, new.prompt);
END;
CREATE TRIGGER generations_words_remove AFTER DELETE ON generations BEGIN
    INSERT INTO generation_words (generation_words, rowid, prompt)
    VALUES ('delete', old.seq, old.prompt);
END;

-- What is to be drawn. Texts that are absent are '' where an index sorts by them.
CREATE TABLE jobs (
    id           TEXT PRIMARY KEY,
    key          TEXT NOT NULL,
    recipe       TEXT NOT NULL,
    provider     TEXT NOT NULL,
    model        TEXT NOT NULL,
    user_id      TEXT NOT NULL DEFAULT '',
    run_id       TEXT NOT NULL DEFAULT '',
    request_id   TEXT,
    trace_id     TEXT,
    priority     INTEGER NOT NULL,
    position     INTEGER NOT NULL,
    status       TEXT NOT NULL CHECK (status IN
                     ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
    attempts     INTEGER NOT NULL DEFAULT 0,
    max_attempts INTEGER NOT NULL,
    run_after    INTEGER NOT NULL DEFAULT 0, -- 0: at once
    handed_at    INTEGER NOT NULL DEFAULT 0, -- to the queue; 0: not now
    worker       TEXT,
    lease_until  INTEGER NOT NULL DEFAULT 0,
    created_at   INTEGER NOT NULL,
    started_at   INTEGER,
    finished_at  INTEGER,
    error_code   TEXT,
    error        TEXT,
    dead         INTEGER NOT NULL DEFAULT 0
) STRICT;
-- At most one live job for a key: its row is also the lock of the key (jobs.h).
CREATE UNIQUE INDEX jobs_live ON jobs (key) WHERE status IN ('queued', 'running');
CREATE INDEX jobs_ready ON jobs (priority, user_id, run_id, position, id)
    WHERE status = 'queued' AND handed_at = 0 AND run_after = 0;
CREATE INDEX jobs_line ON jobs (priority, user_id, position, id) WHERE status = 'queued';
CREATE INDEX jobs_handed ON jobs (handed_at, user_id) WHERE status = 'queued' AND handed_at > 0;
CREATE INDEX jobs_delayed ON jobs (run_after) WHERE status = 'queued' AND run_after > 0;
CREATE INDEX jobs_waiting ON jobs (created_at) WHERE status = 'queued';
CREATE INDEX jobs_leases ON jobs (lease_until) WHERE status = 'running';
CREATE INDEX jobs_status ON jobs (status, id) WHERE status <> 'succeeded';
CREATE INDEX jobs_dead ON jobs (id) WHERE dead = 1;
CREATE INDEX jobs_run ON jobs (run_id, id) WHERE run_id <> '';
CREATE INDEX jobs_user ON jobs (user_id, id);

CREATE TABLE events (
    id         TEXT PRIMARY KEY,
    kind       TEXT NOT NULL,
    user_id    TEXT, -- no reference: what somebody did outlives the account
    subject    TEXT,
    address    TEXT,
    request_id TEXT,
    data       TEXT,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX events_kind ON events (kind, id);
CREATE INDEX events_user ON events (user_id, id);
CREATE INDEX events_subject ON events (subject, id);

CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT
) STRICT, WITHOUT ROWID;
