-- Datasets on their way to object storage. The counters of a task move with its records, in one transaction,
-- always the task's row first. `owner` is who it was made for, for the name to be unique, also when the
-- account is gone; '' is nobody.
CREATE TABLE tasks (
    id             text COLLATE "C" PRIMARY KEY,
    name           text COLLATE "C" NOT NULL,
    owner          text COLLATE "C" NOT NULL,
    kind           text NOT NULL,
    user_id        text COLLATE "C" REFERENCES users (id) ON DELETE SET NULL,
    spec           text NOT NULL,
    folder         text,
    host           text,
    trusted        bigint NOT NULL DEFAULT 0,
    status         text NOT NULL CHECK (status IN
                       ('running', 'awaiting_approval', 'paused', 'completed', 'failed', 'cancelled')),
    phase          text NOT NULL CHECK (phase IN ('sample', 'canary', 'records', 'end')),
    version        bigint NOT NULL DEFAULT 1,
    rounds         bigint NOT NULL DEFAULT 1,
    position       text,
    read_all       bigint NOT NULL DEFAULT 0,
    records        bigint NOT NULL DEFAULT -1,
    experiment_id  text COLLATE "C" REFERENCES experiments (id) ON DELETE SET NULL,
    approved       bigint NOT NULL DEFAULT 0,
    reader         text,
    lease_until    bigint NOT NULL DEFAULT 0,
    read_at        bigint NOT NULL DEFAULT 0, -- when somebody last took it to read: the next in turn
    waiting        bigint NOT NULL DEFAULT 0,
    ready          bigint NOT NULL DEFAULT 0,
    stored         bigint NOT NULL DEFAULT 0,
    failing        bigint NOT NULL DEFAULT 0,
    succeeded      bigint NOT NULL DEFAULT 0,
    failed         bigint NOT NULL DEFAULT 0,
    cancelled      bigint NOT NULL DEFAULT 0,
    reused         bigint NOT NULL DEFAULT 0,
    known          bigint NOT NULL DEFAULT 0,
    missing        bigint NOT NULL DEFAULT 0,
    ended          bigint NOT NULL DEFAULT 0,
    bytes          bigint NOT NULL DEFAULT 0,
    seconds_making double precision NOT NULL DEFAULT 0,
    error_code     text,
    error          text,
    created_at     bigint NOT NULL,
    started_at     bigint NOT NULL DEFAULT 0,
    finished_at    bigint NOT NULL DEFAULT 0,
    UNIQUE (owner, name)
);
-- No index holds a counter: PostgreSQL rewrites a row in place only while no index sees the change.
CREATE INDEX tasks_user ON tasks (user_id, id);
CREATE INDEX tasks_status ON tasks (status, id);
CREATE INDEX tasks_experiment ON tasks (experiment_id) WHERE experiment_id IS NOT NULL;

-- One thing to be made of a record. `lease` counts whoever took the row, `attempts` the tries to deliver
-- it, `tries` those of the step that it is at.
CREATE TABLE task_records (
    id              text COLLATE "C" PRIMARY KEY,
    task_id         text COLLATE "C" NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
    record_id       text COLLATE "C" NOT NULL,
    key             text COLLATE "C" NOT NULL,
    number          bigint NOT NULL,
    end_number      bigint NOT NULL DEFAULT 0,
    status          text NOT NULL CHECK (status IN
                        ('waiting', 'ready', 'stored', 'failing', 'succeeded', 'failed', 'cancelled')),
    generation_id   text COLLATE "C" REFERENCES generations (id) ON DELETE SET NULL,
    request         text,
    object          text COLLATE "C",
    upload          text,
    url             text,
    https           text,
    crc32c          text,
    md5             text,
    sha256          text,
    object_version  text,
    bytes           bigint NOT NULL DEFAULT 0,
    recipe_url      text,
    reused          bigint NOT NULL DEFAULT 0,
    outcome         text,
    attempts        bigint NOT NULL DEFAULT 0,
    tries           bigint NOT NULL DEFAULT 0,
    lease           bigint NOT NULL DEFAULT 0,
    due_at          bigint NOT NULL,
    error_class     text,
    error_code      text,
    error           text,
    seconds_making  double precision,
    seconds_storing double precision,
    created_at      bigint NOT NULL,
    ready_at        bigint NOT NULL DEFAULT 0,
    stored_at       bigint NOT NULL DEFAULT 0,
    ended_at        bigint NOT NULL DEFAULT 0,
    UNIQUE (task_id, record_id, key),
    UNIQUE (task_id, object)
);
CREATE INDEX task_records_number ON task_records (task_id, number, id);
CREATE INDEX task_records_status ON task_records (task_id, status, number, id);
CREATE INDEX task_records_ready ON task_records (task_id, due_at, id) WHERE status = 'ready';
CREATE INDEX task_records_results ON task_records (task_id, due_at, id) WHERE status IN ('stored', 'failing');
CREATE INDEX task_records_ended ON task_records (task_id, end_number) WHERE end_number > 0;
CREATE INDEX task_records_failed ON task_records (task_id, error_class, error_code) WHERE status = 'failed';
CREATE INDEX task_records_generation ON task_records (generation_id) WHERE generation_id IS NOT NULL;

-- What a task's receiver is told. `lease_until`: somebody sends it until then, so that a receiver that hangs
-- holds no more than its share of the senders.
CREATE TABLE callbacks (
    id           text COLLATE "C" PRIMARY KEY,
    task_id      text COLLATE "C" NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
    kind         text NOT NULL CHECK (kind IN ('record', 'batch', 'end', 'canary')),
    subject      text COLLATE "C" NOT NULL,
    body         text NOT NULL,
    status       text NOT NULL CHECK (status IN ('waiting', 'delivered', 'dead')),
    attempts     bigint NOT NULL DEFAULT 0,
    due_at       bigint NOT NULL,
    lease_until  bigint NOT NULL DEFAULT 0,
    created_at   bigint NOT NULL,
    since        bigint NOT NULL, -- when it was created, or replayed: it is given up some time later
    delivered_at bigint NOT NULL DEFAULT 0,
    last_status  bigint NOT NULL DEFAULT 0,
    error        text,
    UNIQUE (task_id, kind, subject)
);
CREATE INDEX callbacks_due ON callbacks (task_id, due_at, id) WHERE status = 'waiting';
CREATE INDEX callbacks_sending ON callbacks (task_id, lease_until) WHERE status = 'waiting' AND lease_until > 0;
CREATE INDEX callbacks_status ON callbacks (task_id, status, id);
CREATE INDEX callbacks_task ON callbacks (task_id, id);
