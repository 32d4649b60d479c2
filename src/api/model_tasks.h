/*
 * model_tasks.h: downloads and checks of models, begun over the API and told on the bus.
 *
 *   if (model_tasks_start(app, &hub, NULL, "data", &e)) ...
 *   ... http_stop(server, seconds) ...
 *   model_tasks_close(app->model_tasks);
 *
 * Threads: start and close from one. Ownership: the hub's texts and the app outlive the tasks.
 */
#ifndef API_MODEL_TASKS_H
#define API_MODEL_TASKS_H

#include "api/app.h"
#include "models/tasks.h"

/* Fills app->model_tasks; arguments as in models/tasks.h. */
WARN_UNUSED_RESULT int model_tasks_start(struct app *app, const struct model_hub *hub,
                                         const char *no_hub, const char *data_folder,
                                         struct err *e);

#endif
