-- People, what they may do, and how they come in.
CREATE TABLE users (
    id            text COLLATE "C" PRIMARY KEY,
    name          text NOT NULL,
    name_key      text COLLATE "C" NOT NULL UNIQUE, -- folded: names are unique without regard to case
    password_hash text,
    role          text NOT NULL CHECK (role IN ('admin', 'editor', 'viewer')),
    disabled      bigint NOT NULL DEFAULT 0,
    created_at    bigint NOT NULL,
    updated_at    bigint NOT NULL,
    last_login_at bigint
);

CREATE TABLE sessions (
    id         text COLLATE "C" PRIMARY KEY,
    token_hash text NOT NULL UNIQUE,
    user_id    text COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    address    text,
    agent      text,
    created_at bigint NOT NULL,
    seen_at    bigint NOT NULL,
    expires_at bigint NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id, id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE api_keys (
    id         text COLLATE "C" PRIMARY KEY,
    user_id    text COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name       text NOT NULL,
    prefix     text NOT NULL,
    hash       text NOT NULL UNIQUE,
    scopes     text NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint,
    used_at    bigint,
    revoked_at bigint
);
CREATE INDEX api_keys_user ON api_keys (user_id, id);

-- Experiments and their runs; the counters of a run are kept with its cells, in one transaction.
CREATE TABLE experiments (
    id         text COLLATE "C" PRIMARY KEY,
    name       text NOT NULL,
    type       text NOT NULL,
    config     text NOT NULL,
    status     text NOT NULL CHECK (status IN
                   ('draft', 'running', 'paused', 'completed', 'failed', 'cancelled')),
    user_id    text COLLATE "C" REFERENCES users (id) ON DELETE SET NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    runs       bigint NOT NULL DEFAULT 0,
    version    bigint NOT NULL DEFAULT 1
);
CREATE INDEX experiments_user ON experiments (user_id, id);
CREATE INDEX experiments_status ON experiments (status, id);
CREATE INDEX experiments_type ON experiments (type, id);

CREATE TABLE experiment_runs (
    id              text COLLATE "C" PRIMARY KEY,
    experiment_id   text COLLATE "C" NOT NULL REFERENCES experiments (id) ON DELETE CASCADE,
    number          bigint NOT NULL,
    status          text NOT NULL CHECK (status IN
                        ('running', 'paused', 'completed', 'failed', 'cancelled')),
    spec            text NOT NULL,
    plan            text,
    total           bigint NOT NULL DEFAULT 0,
    completed       bigint NOT NULL DEFAULT 0,
    failed          bigint NOT NULL DEFAULT 0,
    cancelled       bigint NOT NULL DEFAULT 0,
    impossible      bigint NOT NULL DEFAULT 0,
    reused          bigint NOT NULL DEFAULT 0,
    created_at      bigint NOT NULL,
    started_at      bigint,
    finished_at     bigint,
    budget_ms       bigint NOT NULL DEFAULT 0,
    used_ms         bigint NOT NULL DEFAULT 0, -- of the budget, until the last pause
    resumed_at      bigint,                    -- since when it runs; NULL while it does not
    seconds_drawing double precision NOT NULL DEFAULT 0,
    UNIQUE (experiment_id, number)
);
CREATE INDEX experiment_runs_budget ON experiment_runs (id) WHERE status = 'running' AND budget_ms > 0;

-- What was drawn: one row for each key, if and only if its blob is durable.
CREATE TABLE images (
    key          text COLLATE "C" PRIMARY KEY,
    sha256       text NOT NULL,
    format       text NOT NULL,
    width        bigint NOT NULL,
    height       bigint NOT NULL,
    bytes        bigint NOT NULL,
    seconds      double precision NOT NULL,
    step_seconds double precision NOT NULL,
    memory_used  bigint NOT NULL,
    provider     text,
    device       text,
    dtype        text,
    isa          text,
    measures     text,
    created_at   bigint NOT NULL
);
CREATE INDEX images_sha256 ON images (sha256);
CREATE INDEX images_created ON images (created_at);

-- What was asked for. Identifiers are UUID v7: their order is the order of time.
CREATE TABLE generations (
    id              text COLLATE "C" PRIMARY KEY,
    user_id         text COLLATE "C" REFERENCES users (id) ON DELETE SET NULL,
    run_id          text COLLATE "C" REFERENCES experiment_runs (id) ON DELETE CASCADE,
    experiment_id   text COLLATE "C" REFERENCES experiments (id) ON DELETE CASCADE,
    cell            bigint NOT NULL DEFAULT -1,
    replicate       bigint NOT NULL DEFAULT 0,
    axes            text,
    key             text COLLATE "C",
    status          text NOT NULL CHECK (status IN
                        ('queued', 'running', 'succeeded', 'failed', 'cancelled', 'impossible')),
    reused          bigint NOT NULL DEFAULT 0,
    prompt          text NOT NULL,
    prompt_hash     text NOT NULL, -- 16 hex digits of its SHA-256: equal prompts are found by it
    negative_prompt text,
    model_name      text NOT NULL,
    model_digest    text,
    sampler         text,
    schedule        text,
    provider        text,
    seed            text NOT NULL, -- decimal: 64 bits without a sign
    steps           bigint NOT NULL,
    width           bigint NOT NULL,
    height          bigint NOT NULL,
    cfg_scale       double precision NOT NULL,
    parameters      text NOT NULL,
    metadata        text,
    error_code      text,
    error           text,
    attempts        bigint NOT NULL DEFAULT 0,
    rating          bigint NOT NULL DEFAULT 0 CHECK (rating BETWEEN 0 AND 5),
    favourite       bigint NOT NULL DEFAULT 0,
    created_at      bigint NOT NULL,
    generated_at    bigint,
    seconds         double precision, -- to draw; of the picture, repeated here for sorting
    file_path       text  -- of the picture's blob: ab/cd/<sha256>
);
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
CREATE INDEX generations_init ON generations ((CAST(parameters AS JSON) ->> 'init_sha256'))
    WHERE (CAST(parameters AS JSON) ->> 'init_sha256') IS NOT NULL;
CREATE INDEX generations_mask ON generations ((CAST(parameters AS JSON) ->> 'mask_sha256'))
    WHERE (CAST(parameters AS JSON) ->> 'mask_sha256') IS NOT NULL;
CREATE INDEX generations_history ON generations (model_name, width, height, id)
    WHERE status = 'succeeded' AND reused = 0;

CREATE TABLE generation_tags (
    generation_id text COLLATE "C" NOT NULL REFERENCES generations (id) ON DELETE CASCADE,
    tag           text COLLATE "C" NOT NULL,
    PRIMARY KEY (generation_id, tag)
);
CREATE INDEX generation_tags_tag ON generation_tags (tag, generation_id);

-- The words of the prompts, apart from the rows that change while a picture is drawn: their index
-- is dear to change.
CREATE TABLE generation_words (
    generation_id text COLLATE "C" PRIMARY KEY REFERENCES generations (id) ON DELETE CASCADE,
    words         tsvector NOT NULL
);
CREATE INDEX generation_words_words ON generation_words USING gin (words) WITH (fastupdate = off);

-- What is to be drawn. Texts that are absent are '' where an index sorts by them.
CREATE TABLE jobs (
    id           text COLLATE "C" PRIMARY KEY,
    key          text COLLATE "C" NOT NULL,
    recipe       text NOT NULL,
    provider     text NOT NULL,
    model        text NOT NULL,
    user_id      text COLLATE "C" NOT NULL DEFAULT '',
    run_id       text COLLATE "C" NOT NULL DEFAULT '',
    request_id   text,
    trace_id     text,
    priority     bigint NOT NULL,
    position     bigint NOT NULL,
    status       text NOT NULL CHECK (status IN
                     ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
    attempts     bigint NOT NULL DEFAULT 0,
    max_attempts bigint NOT NULL,
    run_after    bigint NOT NULL DEFAULT 0, -- 0: at once
    handed_at    bigint NOT NULL DEFAULT 0, -- to the queue; 0: not now
    worker       text,
    lease_until  bigint NOT NULL DEFAULT 0,
    created_at   bigint NOT NULL,
    started_at   bigint,
    finished_at  bigint,
    error_code   text,
    error        text,
    dead         bigint NOT NULL DEFAULT 0
);
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
    id         text COLLATE "C" PRIMARY KEY,
    kind       text NOT NULL,
    user_id    text COLLATE "C", -- no reference: what somebody did outlives the account
    subject    text,
    address    text,
    request_id text,
    data       text,
    created_at bigint NOT NULL
);
CREATE INDEX events_kind ON events (kind, id);
CREATE INDEX events_user ON events (user_id, id);
CREATE INDEX events_subject ON events (subject, id);

CREATE TABLE settings (
    name  text COLLATE "C" PRIMARY KEY,
    value text
);
