#include "api/api_routes.h"

int api_list_model_tasks(struct request *r, struct response *w, struct err *e)
{
    (void)r;
    (void)w;
    return ERR(e, ERR_NETWORK, "this part of the server is being built");
}

int api_create_model_task(struct request *r, struct response *w, struct err *e)
{
    (void)r;
    (void)w;
    return ERR(e, ERR_NETWORK, "this part of the server is being built");
}

int api_get_model_task(struct request *r, struct response *w, struct err *e)
{
    (void)r;
    (void)w;
    return ERR(e, ERR_NETWORK, "this part of the server is being built");
}

int api_cancel_model_task(struct request *r, struct response *w, struct err *e)
{
    (void)r;
    (void)w;
    return ERR(e, ERR_NETWORK, "this part of the server is being built");
}
