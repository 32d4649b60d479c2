-- Generations that were deleted and may come back: out of their table, so that no list, search, count or
-- index has to pass over them. A column that generations get belongs here, too.
CREATE TABLE deleted_generations (
    id              TEXT PRIMARY KEY,
    user_id         TEXT REFERENCES users (id) ON DELETE SET NULL,
    run_id          TEXT,
    experiment_id   TEXT,
    cell            INTEGER NOT NULL,
    replicate       INTEGER NOT NULL,
    axes            TEXT,
    key             TEXT,
    status          TEXT NOT NULL,
    reused          INTEGER NOT NULL,
    prompt          TEXT NOT NULL,
    prompt_hash     TEXT NOT NULL,
    negative_prompt TEXT,
    model_name      TEXT NOT NULL,
    model_digest    TEXT,
    sampler         TEXT,
    schedule        TEXT,
    provider        TEXT,
    seed            TEXT NOT NULL,
    steps           INTEGER NOT NULL,
    width           INTEGER NOT NULL,
    height          INTEGER NOT NULL,
    cfg_scale       REAL NOT NULL,
    parameters      TEXT NOT NULL,
    metadata        TEXT,
    error_code      TEXT,
    error           TEXT,
    attempts        INTEGER NOT NULL,
    rating          INTEGER NOT NULL,
    favourite       INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    generated_at    INTEGER,
    seconds         REAL,
    file_path       TEXT,
    seq             INTEGER, -- what it had
    tags            TEXT, -- JSON: an array
    deleted_at      INTEGER NOT NULL
) STRICT;
CREATE INDEX deleted_generations_time ON deleted_generations (deleted_at);
CREATE INDEX deleted_generations_user ON deleted_generations (user_id);
CREATE INDEX deleted_generations_experiment ON deleted_generations (experiment_id, id);
CREATE INDEX deleted_generations_key ON deleted_generations (key);
CREATE INDEX deleted_generations_init ON deleted_generations (json_extract(parameters, '$.init_sha256'))
    WHERE json_extract(parameters, '$.init_sha256') IS NOT NULL;
CREATE INDEX deleted_generations_mask ON deleted_generations (json_extract(parameters, '$.mask_sha256'))
    WHERE json_extract(parameters, '$.mask_sha256') IS NOT NULL;

-- An experiment is only marked. Its cells follow in pieces; `moving` until all have. cells_kept: they became
-- generations of their own.
ALTER TABLE experiments ADD COLUMN deleted_at INTEGER;
ALTER TABLE experiments ADD COLUMN cells_kept INTEGER NOT NULL DEFAULT 0;
ALTER TABLE experiments ADD COLUMN moving INTEGER NOT NULL DEFAULT 0;
CREATE INDEX experiments_deleted ON experiments (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX experiments_moving ON experiments (id) WHERE moving = 1;

-- What the cells of such an experiment were.
CREATE TABLE detached_cells (
    generation_id TEXT PRIMARY KEY,
    experiment_id TEXT NOT NULL REFERENCES experiments (id) ON DELETE CASCADE,
    run_id        TEXT NOT NULL,
    cell          INTEGER NOT NULL,
    replicate     INTEGER NOT NULL,
    axes          TEXT
) STRICT;
CREATE INDEX detached_cells_experiment ON detached_cells (experiment_id, generation_id);

-- Verdicts on pairs of cells. Identifiers are the clients'. No reference to the generations: a vote waits with
-- its experiment while that is deleted.
CREATE TABLE votes (
    id            TEXT PRIMARY KEY,
    experiment_id TEXT NOT NULL REFERENCES experiments (id) ON DELETE CASCADE,
    user_id       TEXT REFERENCES users (id) ON DELETE SET NULL,
    left_id       TEXT NOT NULL,
    right_id      TEXT NOT NULL,
    choice        TEXT NOT NULL CHECK (choice IN ('left', 'right', 'tie', 'skip')),
    seconds       REAL, -- to decide
    created_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX votes_user ON votes (user_id, created_at, id);
CREATE INDEX votes_experiment ON votes (experiment_id, user_id, created_at, id);
