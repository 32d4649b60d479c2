-- Generations that were deleted and may come back: out of their table, so that no list, search, count or
-- index has to pass over them. A column that generations get belongs here, too.
CREATE TABLE deleted_generations (
    id              text COLLATE "C" PRIMARY KEY,
    user_id         text COLLATE "C" REFERENCES users (id) ON DELETE SET NULL,
    run_id          text COLLATE "C",
    experiment_id   text COLLATE "C",
    cell            bigint NOT NULL,
    replicate       bigint NOT NULL,
    axes            text,
    key             text COLLATE "C",
    status          text NOT NULL,
    reused          bigint NOT NULL,
    prompt          text NOT NULL,
    prompt_hash     text NOT NULL,
    negative_prompt text,
    model_name      text NOT NULL,
    model_digest    text,
    sampler         text,
    schedule        text,
    provider        text,
    seed            text NOT NULL,
    steps           bigint NOT NULL,
    width           bigint NOT NULL,
    height          bigint NOT NULL,
    cfg_scale       double precision NOT NULL,
    parameters      text NOT NULL,
    metadata        text,
    error_code      text,
    error           text,
    attempts        bigint NOT NULL,
    rating          bigint NOT NULL,
    favourite       bigint NOT NULL,
    created_at      bigint NOT NULL,
    generated_at    bigint,
    seconds         double precision,
    file_path       text,
    tags            text, -- JSON: an array
    deleted_at      bigint NOT NULL
);
CREATE INDEX deleted_generations_time ON deleted_generations (deleted_at);
CREATE INDEX deleted_generations_user ON deleted_generations (user_id);
CREATE INDEX deleted_generations_experiment ON deleted_generations (experiment_id, id);
CREATE INDEX deleted_generations_key ON deleted_generations (key);
CREATE INDEX deleted_generations_init ON deleted_generations ((CAST(parameters AS JSON) ->> 'init_sha256'))
    WHERE (CAST(parameters AS JSON) ->> 'init_sha256') IS NOT NULL;
CREATE INDEX deleted_generations_mask ON deleted_generations ((CAST(parameters AS JSON) ->> 'mask_sha256'))
    WHERE (CAST(parameters AS JSON) ->> 'mask_sha256') IS NOT NULL;

-- An experiment is only marked. Its cells follow in pieces; `moving` until all have. cells_kept: they became
-- generations of their own.
ALTER TABLE experiments ADD COLUMN deleted_at bigint;
ALTER TABLE experiments ADD COLUMN cells_kept bigint NOT NULL DEFAULT 0;
ALTER TABLE experiments ADD COLUMN moving bigint NOT NULL DEFAULT 0;
CREATE INDEX experiments_deleted ON experiments (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX experiments_moving ON experiments (id) WHERE moving = 1;

-- What the cells of such an experiment were.
CREATE TABLE detached_cells (
    generation_id text COLLATE "C" PRIMARY KEY,
    experiment_id text COLLATE "C" NOT NULL REFERENCES experiments (id) ON DELETE CASCADE,
    run_id        text COLLATE "C" NOT NULL,
    cell          bigint NOT NULL,
    replicate     bigint NOT NULL,
    axes          text
);
CREATE INDEX detached_cells_experiment ON detached_cells (experiment_id, generation_id);

-- Verdicts on pairs of cells. Identifiers are the clients'. No reference to the generations: a vote waits with
-- its experiment while that is deleted.
CREATE TABLE votes (
    id            text COLLATE "C" PRIMARY KEY,
    experiment_id text COLLATE "C" NOT NULL REFERENCES experiments (id) ON DELETE CASCADE,
    user_id       text COLLATE "C" REFERENCES users (id) ON DELETE SET NULL,
    left_id       text COLLATE "C" NOT NULL,
    right_id      text COLLATE "C" NOT NULL,
    choice        text NOT NULL CHECK (choice IN ('left', 'right', 'tie', 'skip')),
    seconds       double precision, -- to decide
    created_at    bigint NOT NULL
);
CREATE INDEX votes_user ON votes (user_id, created_at, id);
CREATE INDEX votes_experiment ON votes (experiment_id, user_id, created_at, id);
