#include "api/api_routes.h"

int api_batch_generations(struct request *r, struct response *w, struct err *e)
{
    (void)r;
    (void)w;
    return ERR(e, ERR_NETWORK, "this part of the server is being built");
}

int api_zip_generations(struct request *r, struct response *w, struct err *e)
{
    (void)r;
    (void)w;
    return ERR(e, ERR_NETWORK, "this part of the server is being built");
}

int api_list_tags(struct request *r, struct response *w, struct err *e)
{
    (void)r;
    (void)w;
    return ERR(e, ERR_NETWORK, "this part of the server is being built");
}

