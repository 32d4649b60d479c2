/*
 * sockets.h: the Socket.IO door: who may listen to what, and from the bus to the sockets.
 *
 *   struct socketio_options o = socketio_options();
 *   sockets_options(app, &o);
 *   socketio_start(&o, &app->sockets, e);
 *   bus_listen(app->bus, sockets_forward, app);
 *
 * Every socket is in the room of its user, where the progress of the user's experiments arrives
 * without asking. `subscribe {"rooms": [...]}` enters experiment:{id}, generation:{id} (whose
 * previews are made from then on), queue and models; whoever may read a thing may listen to it.
 * Threads: callbacks run on handler threads, sockets_forward on the bus's.
 */
#ifndef API_SOCKETS_H
#define API_SOCKETS_H

#include "api/app.h"

void sockets_options(struct app *app, struct socketio_options *o);
/* Whoever came in by that session, or as that user, is sent away: it has ended, or may no more. */
void sockets_end_session(struct app *app, const char *session_id);
void sockets_end_user(struct app *app, const char *user_id);
void sockets_forward(void *user, const struct bus_event *e); /* user: the struct app */

#endif
