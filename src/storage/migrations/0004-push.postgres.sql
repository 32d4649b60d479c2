-- Browsers that want messages (Web Push).
CREATE TABLE push_subscriptions (
    id         text COLLATE "C" PRIMARY KEY,
    user_id    text COLLATE "C" REFERENCES users (id) ON DELETE CASCADE, -- NULL: of a server without users
    endpoint   text COLLATE "C" NOT NULL UNIQUE,
    p256dh     text NOT NULL,
    auth       text NOT NULL,
    agent      text,
    created_at bigint NOT NULL,
    expires_at bigint,
    sent_at    bigint,
    error      text
);
CREATE INDEX push_subscriptions_user ON push_subscriptions ((coalesce(user_id, '')), id);

-- What waits to be sent: a row for each browser that a run's end is told to, gone when it was taken.
CREATE TABLE push_messages (
    id              text COLLATE "C" PRIMARY KEY,
    subscription_id text COLLATE "C" NOT NULL REFERENCES push_subscriptions (id) ON DELETE CASCADE,
    run_id          text COLLATE "C" NOT NULL REFERENCES experiment_runs (id) ON DELETE CASCADE,
    text            text NOT NULL,
    topic           text NOT NULL,
    attempts        bigint NOT NULL DEFAULT 0,
    due_at          bigint NOT NULL, -- in the future while somebody sends it
    created_at      bigint NOT NULL,
    UNIQUE (subscription_id, run_id)
);
CREATE INDEX push_messages_due ON push_messages (due_at);
CREATE INDEX push_messages_run ON push_messages (run_id);

-- The end of a run that was told to its owner: its finished_at. What ended before is not news.
ALTER TABLE experiment_runs ADD COLUMN told_at bigint NOT NULL DEFAULT 0;
UPDATE experiment_runs SET told_at = finished_at WHERE finished_at IS NOT NULL;
CREATE INDEX experiment_runs_untold ON experiment_runs (finished_at) WHERE finished_at > told_at;
